//! Reads whole files into memory, with a limit for each kind of file.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// Reads a file of at most `max` bytes. If the file grows meanwhile, the new part is not read.
pub(super) fn read(path: &Path, max: u64) -> io::Result<Vec<u8>> {
    let file = File::open(path)?;
    let length = file.metadata()?.len();
    if length > max {
        return Err(too_large(length, max));
    }
    // One byte more, so that the end is seen without growing the buffer.
    let mut bytes = Vec::with_capacity(length as usize + 1);
    file.take(max + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > max {
        return Err(too_large(bytes.len() as u64, max));
    }
    Ok(bytes)
}

/// The error for a file of `bytes`, which is too large.
pub(super) fn too_large(bytes: u64, max: u64) -> io::Error {
    let reason = format!("its {bytes} bytes exceed the limit of {max} for such a file");
    io::Error::new(io::ErrorKind::FileTooLarge, reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_the_limit_is_read_and_a_larger_one_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x");
        std::fs::write(&path, [7; 100]).unwrap();
        assert_eq!(read(&path, 100).unwrap(), [7; 100]);
        let error = read(&path, 99).unwrap_err().to_string();
        assert!(error.contains("100 bytes") && error.contains("99"), "{error}");
        // A sparse file of a terabyte takes no memory.
        File::options()
            .write(true)
            .open(&path)
            .unwrap()
            .set_len(1 << 40)
            .unwrap();
        assert!(read(&path, 1 << 20).is_err());
    }
}
