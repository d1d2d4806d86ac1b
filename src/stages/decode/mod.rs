//! decode: from encoded bytes to RGB of just the crop.
//! upstream: source · downstream: augment (or measure)
