//! What is not written yet? Text and Markdown.
