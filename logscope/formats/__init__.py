"""How a line becomes fields: formats as data, and what runs them over whole blocks."""
