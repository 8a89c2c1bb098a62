"""What the reader asks: filters as masks, SQL, histograms."""
