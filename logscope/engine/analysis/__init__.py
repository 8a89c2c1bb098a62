"""What is usual and what is not: statistics, comparisons, clocks, absences, reports."""
