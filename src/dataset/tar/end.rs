//! The end of a tar: two blocks of zeros, and nothing behind them.
//!
//! Without this check a tar that was truncated between two members would look whole, and of tars joined with `cat` only the
//! first would be read.

use super::BLOCK;

/// Tars are padded to whole records, usually of 10 kB, and to a device's blocks. Longer padding is not searched.
const MAX_PADDING: u64 = 1 << 30;

/// Checks what follows the last member; `next` is where the next header would begin. The error is the reason.
///
/// One block of zeros at the very end is enough, as for GNU tar: no member can be missing behind it.
pub(super) fn check(bytes: &[u8], next: u64, last: &str) -> Result<(), String> {
    if bytes.is_empty() {
        return Err("it is empty (0 bytes); copy it again".to_owned());
    }
    let Some(rest) = usize::try_from(next).ok().and_then(|next| bytes.get(next..)) else {
        return Err(format!("it is truncated in the padding after {last}; copy it again"));
    };
    if rest.is_empty() {
        return Err(format!(
            "it ends after {last} without the end-of-archive blocks: it is truncated or unfinished; copy or recreate it"
        ));
    }
    if rest.len() as u64 > MAX_PADDING {
        return Err(format!(
            "{} bytes follow the end of the archive, at byte {next}",
            rest.len()
        ));
    }
    let Some(at) = first_other_than_zero(rest) else {
        return Ok(());
    };
    let at = at / BLOCK * BLOCK;
    Err(format!(
        "{} bytes follow the end of the archive, from byte {} on; if tars were joined with cat, use tar --concatenate instead; \
         if a copy was interrupted, copy it again",
        rest.len() - at,
        next + at as u64
    ))
}

/// The position of the first byte that is not zero.
fn first_other_than_zero(bytes: &[u8]) -> Option<usize> {
    // A block at a time, which vectorizes well.
    let block = bytes
        .chunks(BLOCK)
        .position(|block| block.iter().fold(0, |all, byte| all | byte) != 0)?;
    let at = block * BLOCK;
    bytes[at..].iter().position(|&byte| byte != 0).map(|inside| at + inside)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_zeros_may_follow() {
        let zeros = |blocks: usize| [&[7; BLOCK][..], &vec![0; blocks * BLOCK]].concat();
        for blocks in [1, 2, 3, 19, 1000] {
            assert_eq!(check(&zeros(blocks), BLOCK as u64, "x"), Ok(()));
        }
        for at in [2 * BLOCK, 3 * BLOCK - 1, 3 * BLOCK, 21 * BLOCK + 5] {
            let mut bytes = zeros(30);
            bytes[at] = 1;
            let reason = check(&bytes, BLOCK as u64, "x").unwrap_err();
            let expected = format!("{} bytes follow", bytes.len() - at / BLOCK * BLOCK);
            assert!(reason.starts_with(&expected), "{reason}");
        }
        assert!(
            check(&zeros(0), BLOCK as u64, "x")
                .unwrap_err()
                .contains("without the end-of-archive")
        );
        assert!(
            check(&[7; BLOCK - 1], BLOCK as u64, "x")
                .unwrap_err()
                .contains("in the padding after x")
        );
        assert!(check(&[], 0, "").unwrap_err().contains("0 bytes"));
    }
}
