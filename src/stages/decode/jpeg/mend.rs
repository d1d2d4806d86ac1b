use crate::dataset::Encoded;
pub(in crate::stages::decode) fn mend<'a>(_: Encoded<'a>, _: &'a mut Vec<u8>) -> Option<Encoded<'a>> {
    None
}
