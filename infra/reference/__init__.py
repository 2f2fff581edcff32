"""The generated parts of the documentation: tables of the code, between marks in the pages of docs/."""
