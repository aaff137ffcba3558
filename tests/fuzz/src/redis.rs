//! What another program, or another version of this one, puts into Redis. What is understood is understood again when it is
//! passed on.

use lakou_host::fuzzing;

/// The longest arguments and messages that are read.
const LARGEST: usize = 4096;

/// An entry of a stream. Its fields end with a byte that no text has.
pub(crate) fn check_entry(bytes: &[u8]) {
    let fields: Vec<&[u8]> = bytes.split(|byte| *byte == 0xff).collect();
    match fuzzing::entry(&fields, LARGEST) {
        Ok(written) => {
            let fields: Vec<&[u8]> = written.iter().map(Vec::as_slice).collect();
            assert_eq!(fuzzing::entry(&fields, LARGEST).as_ref(), Ok(&written));
        }
        Err(error) => super::one_line(&error),
    }
}

/// What comes over the channel of a topic.
pub(crate) fn check_publication(bytes: &[u8]) {
    match fuzzing::publication(bytes, LARGEST) {
        Ok(written) => assert_eq!(fuzzing::publication(&written, LARGEST).as_ref(), Ok(&written)),
        Err(error) => super::one_line(&error),
    }
}
