"""What is between Textual's frames and the terminal: only what has changed is sent.

Textual writes every cell of what it painted again. Here its frames are read back into cells and
compared with what the terminal shows; of what is not understood every byte is passed on as it is.
"""
