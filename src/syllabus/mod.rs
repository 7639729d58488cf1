//! What is learned in which order, and who wrote that?
