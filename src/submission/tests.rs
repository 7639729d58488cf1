//! Is work handed in by the rules?
