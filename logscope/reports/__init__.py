"""Reports of transactions: a case as data, as a page to print, as Markdown, as JSON."""
