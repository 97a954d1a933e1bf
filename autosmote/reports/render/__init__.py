"""Tables, figures and the page as files."""
