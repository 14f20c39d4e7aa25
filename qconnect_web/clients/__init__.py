"""The HTML5 clients' files, as browsers get them."""
