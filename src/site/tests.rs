//! Do the pages about the instance say what is set?
