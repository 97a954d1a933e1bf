"""Tables, figures and the page as files: what they look like, not what they say."""
