//! The part of MATLAB's level 5 MAT format that ILSVRC's development kit needs: numbers and texts in a struct array.
//!
//! A file is a header of 128 bytes, followed by elements. Here all of it is little-endian. An element is a tag (type and
//! length) and its contents, padded to eight bytes. Contents of at most four bytes fit into the tag. Type 15 is another
//! element, compressed by zlib. Type 14 is an array, which consists of elements: flags, dimensions and name. In a struct
//! array these are followed by the names of the fields, and by an array for each field of each struct.
//!
//! The file is not trusted: every length is checked against the bytes that exist, decompression has a limit, and nested
//! arrays are skipped rather than followed.

use std::io::Read;

use flate2::read::ZlibDecoder;

/// The limit on decompressed bytes, over all elements. The kit's array has some 2 MB.
const MAX_BYTES: u64 = 64 << 20;

/// The most fields in a struct. The kit's structs have 8.
const MAX_FIELDS: usize = 1024;

/// More structs than this are taken for damage. The kit has 1860.
const MAX_STRUCTS: usize = 1 << 20;

const HEADER: usize = 128;

/// Types of elements.
const INT8: u32 = 1;
const UINT8: u32 = 2;
const INT16: u32 = 3;
const UINT16: u32 = 4;
const INT32: u32 = 5;
const UINT32: u32 = 6;
const SINGLE: u32 = 7;
const DOUBLE: u32 = 9;
const MATRIX: u32 = 14;
const COMPRESSED: u32 = 15;
const UTF8: u32 = 16;

/// Classes of arrays.
const STRUCT: u8 = 2;
const CHAR: u8 = 4;
const NUMERIC: std::ops::RangeInclusive<u8> = 6..=15;

/// Why a MAT file cannot be used.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum MatError {
    /// Another format, or an older or newer version of MATLAB's.
    #[error("is not a MAT file of level 5 (MATLAB's -v6 and -v7)")]
    NotMat,
    /// Written on a machine with the other byte order.
    #[error("is a big-endian MAT file, which is not supported")]
    BigEndian,
    /// An element claims more bytes than there are.
    #[error("is truncated or damaged: {what} lacks {lacking} bytes")]
    Cut {
        /// The part.
        what: &'static str,
        /// How many bytes are missing.
        lacking: usize,
    },
    /// zlib reports an error.
    #[error("is damaged: a compressed part of it cannot be decompressed ({0})")]
    Compressed(String),
    /// A limit is exceeded.
    #[error("is damaged: {0}, more than any such file has")]
    TooLarge(&'static str),
    /// The file contradicts itself.
    #[error("is damaged: {0}")]
    Damaged(&'static str),
    /// The array asked for is missing.
    #[error("has no struct array {0:?}")]
    NoArray(String),
    /// A field asked for is missing.
    #[error("its structs have no field {0:?}")]
    NoField(String),
}

/// The value of a struct's field, as far as this reader understands it.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    /// A single number.
    Number(f64),
    /// A row of characters.
    Text(String),
    /// Anything else.
    Other,
}

/// Reads the fields `wanted` of every struct in the array `name`.
pub(super) fn structs<const N: usize>(file: &[u8], name: &str, wanted: [&str; N]) -> Result<Vec<[Value; N]>, MatError> {
    let header = file.get(..HEADER).ok_or(MatError::NotMat)?;
    match &header[124..] {
        [0, 1, b'I', b'M'] => {}
        [1, 0, b'M', b'I'] => return Err(MatError::BigEndian),
        _ => return Err(MatError::NotMat),
    }
    let mut rest = Elements(&file[HEADER..]);
    let mut left = MAX_BYTES;
    while let Some(element) = rest.next()? {
        let found = if element.kind == COMPRESSED {
            let bytes = decompress(element.bytes, &mut left)?;
            let inner = Elements(&bytes).next()?;
            inner.map_or(Ok(None), |inner| struct_array(inner, name, wanted))?
        } else {
            struct_array(element, name, wanted)?
        };
        if let Some(found) = found {
            return Ok(found);
        }
    }
    Err(MatError::NoArray(name.to_owned()))
}

/// An element: its type and contents.
#[derive(Clone, Copy)]
struct Element<'a> {
    kind: u32,
    bytes: &'a [u8],
}

/// Consecutive elements in a slice of bytes.
struct Elements<'a>(&'a [u8]);

impl<'a> Elements<'a> {
    fn next(&mut self) -> Result<Option<Element<'a>>, MatError> {
        if self.0.is_empty() {
            return Ok(None);
        }
        let tag = take(&mut self.0, 4, "a tag")?;
        let first = word(tag);
        // A small element has its length in the upper half of the word, and its contents in the second word of the tag.
        if first >> 16 != 0 {
            let (kind, length) = (first & 0xffff, (first >> 16) as usize);
            let word = take(&mut self.0, 4, "a small element")?;
            let bytes = word
                .get(..length)
                .ok_or(MatError::Damaged("a small element is not small"))?;
            return Ok(Some(Element { kind, bytes }));
        }
        let length = word(take(&mut self.0, 4, "a tag")?) as usize;
        let bytes = take(&mut self.0, length, "an element")?;
        // Compressed elements have no padding, and the last element may lack it.
        if first != COMPRESSED {
            let padding = (length.wrapping_neg() % 8).min(self.0.len());
            self.0 = &self.0[padding..];
        }
        Ok(Some(Element { kind: first, bytes }))
    }

    /// The next element. Its absence is an error.
    fn expect(&mut self, what: &'static str) -> Result<Element<'a>, MatError> {
        self.next()?.ok_or(MatError::Cut { what, lacking: 8 })
    }
}

fn take<'a>(rest: &mut &'a [u8], length: usize, what: &'static str) -> Result<&'a [u8], MatError> {
    let Some((taken, after)) = rest.split_at_checked(length) else {
        let lacking = length - rest.len();
        return Err(MatError::Cut { what, lacking });
    };
    *rest = after;
    Ok(taken)
}

/// A little-endian word. Missing bytes count as zeros.
fn word(bytes: &[u8]) -> u32 {
    bytes
        .iter()
        .take(4)
        .rev()
        .fold(0, |word, &byte| word << 8 | u32::from(byte))
}

/// Decompresses an element, up to the number of bytes left.
fn decompress(bytes: &[u8], left: &mut u64) -> Result<Vec<u8>, MatError> {
    let mut out = Vec::new();
    let mut reader = ZlibDecoder::new(bytes).take(*left + 1);
    reader
        .read_to_end(&mut out)
        .map_err(|error| MatError::Compressed(error.to_string()))?;
    *left = left
        .checked_sub(out.len() as u64)
        .ok_or(MatError::TooLarge("it decompresses to more than 64 MiB"))?;
    Ok(out)
}

/// The beginning of an array: its class, its number of values, its name, and the elements that follow.
struct Array<'a> {
    class: u8,
    count: usize,
    name: &'a [u8],
    rest: Elements<'a>,
}

/// Opens an array. `None` if it has no bytes, which stands for an empty array.
fn array(bytes: &[u8]) -> Result<Option<Array<'_>>, MatError> {
    let mut rest = Elements(bytes);
    let Some(flags) = rest.next()? else { return Ok(None) };
    let dimensions = rest.expect("an array's size")?;
    let name = rest.expect("an array's name")?;
    let class = *flags.bytes.first().ok_or(MatError::Damaged("an array has no class"))?;
    if dimensions.kind != INT32 || !dimensions.bytes.len().is_multiple_of(4) {
        return Err(MatError::Damaged("an array's size is not made of whole numbers"));
    }
    let mut sizes = dimensions.bytes.chunks_exact(4).map(word);
    let count = sizes.try_fold(1_usize, |product, size| product.checked_mul(size as usize));
    Ok(Some(Array {
        class,
        count: count.ok_or(MatError::Damaged("an array's size is too large for a number"))?,
        name: name.bytes,
        rest,
    }))
}

/// Reads the struct array `name`, if `element` holds it.
fn struct_array<const N: usize>(
    element: Element<'_>,
    name: &str,
    wanted: [&str; N],
) -> Result<Option<Vec<[Value; N]>>, MatError> {
    if element.kind != MATRIX {
        return Ok(None);
    }
    let Some(array) = array(element.bytes)? else {
        return Ok(None);
    };
    if array.class != STRUCT || array.name != name.as_bytes() {
        return Ok(None);
    }
    let mut rest = array.rest;
    let width = word(rest.expect("the length of the fields' names")?.bytes) as usize;
    let names = rest.expect("the fields' names")?.bytes;
    if width == 0 || !names.len().is_multiple_of(width) {
        return Err(MatError::Damaged("the fields' names have no common length"));
    }
    let fields: Vec<&[u8]> = names
        .chunks_exact(width)
        .take(MAX_FIELDS + 1)
        .map(|name| name.split(|&byte| byte == 0).next().unwrap_or_default())
        .collect();
    if fields.len() > MAX_FIELDS {
        return Err(MatError::TooLarge("its structs claim more than a thousand fields"));
    }
    let mut places = [0; N];
    for (place, wanted) in places.iter_mut().zip(wanted) {
        let found = fields.iter().position(|field| *field == wanted.as_bytes());
        *place = found.ok_or_else(|| MatError::NoField(wanted.to_owned()))?;
    }
    if array.count > MAX_STRUCTS {
        return Err(MatError::TooLarge("it claims more than a million structs"));
    }
    let mut found = Vec::new();
    for _ in 0..array.count {
        let mut values = [const { Value::Other }; N];
        for field in 0..fields.len() {
            let element = rest.expect("a struct's field")?;
            for (value, _) in values.iter_mut().zip(places).filter(|(_, place)| *place == field) {
                *value = self::value(element)?;
            }
        }
        found.push(values);
    }
    Ok(Some(found))
}

/// Reads a number or a text.
fn value(element: Element<'_>) -> Result<Value, MatError> {
    if element.kind != MATRIX {
        return Err(MatError::Damaged("a field is not an array"));
    }
    let Some(mut array) = array(element.bytes)? else {
        return Ok(Value::Other);
    };
    if array.class == CHAR {
        let text = text(array.rest.expect("a text")?);
        return Ok(text.map_or(Value::Other, Value::Text));
    }
    if NUMERIC.contains(&array.class) && array.count == 1 {
        let number = number(array.rest.expect("a number")?);
        return Ok(number.map_or(Value::Other, Value::Number));
    }
    Ok(Value::Other)
}

/// A text, for any type of its characters.
fn text(element: Element<'_>) -> Option<String> {
    match element.kind {
        INT8 | UINT8 | UTF8 => String::from_utf8(element.bytes.to_vec()).ok(),
        UINT16 => {
            let units = element
                .bytes
                .chunks_exact(2)
                .map(|two| u16::from_le_bytes([two[0], two[1]]));
            char::decode_utf16(units).collect::<Result<_, _>>().ok()
        }
        _ => None,
    }
}

/// The first number of an element. MATLAB stores a whole number in the smallest type that holds it, whatever the class of
/// the array.
fn number(element: Element<'_>) -> Option<f64> {
    let bytes = element.bytes;
    match element.kind {
        INT8 => bytes.first().map(|&byte| f64::from(byte.cast_signed())),
        UINT8 => bytes.first().copied().map(f64::from),
        INT16 => bytes.first_chunk().map(|two| f64::from(i16::from_le_bytes(*two))),
        UINT16 => bytes.first_chunk().map(|two| f64::from(u16::from_le_bytes(*two))),
        INT32 => bytes.first_chunk().map(|four| f64::from(i32::from_le_bytes(*four))),
        UINT32 => bytes.first_chunk().map(|four| f64::from(u32::from_le_bytes(*four))),
        SINGLE => bytes.first_chunk().map(|four| f64::from(f32::from_le_bytes(*four))),
        DOUBLE => bytes.first_chunk().map(|eight| f64::from_le_bytes(*eight)),
        12 => bytes.first_chunk().map(|eight| i64::from_le_bytes(*eight) as f64),
        13 => bytes.first_chunk().map(|eight| u64::from_le_bytes(*eight) as f64),
        _ => None,
    }
}
