"""Rules that tell of somebody who has stopped writing, against the rhythm that was usual."""
