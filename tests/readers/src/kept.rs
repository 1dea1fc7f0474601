//! Inputs that were kept of fuzzing, all of a reader in one file: each with its length before it, four bytes, big-endian, as
//! frames on our sockets are. The shortest come first, so that a file changes as little as what is in it.

/// The largest file, in bytes: what does not fit into it is not kept.
pub const LARGEST: usize = 48 << 10;

/// A file with these inputs, each once; the longest are left out where there are too many.
#[must_use]
pub fn pack(mut inputs: Vec<Vec<u8>>) -> Vec<u8> {
    inputs.sort_by(|one, other| (one.len(), one).cmp(&(other.len(), other)));
    inputs.dedup();
    let mut file = Vec::new();
    for input in inputs {
        let length = u32::try_from(input.len()).unwrap_or(u32::MAX).to_be_bytes();
        if file.len() + length.len() + input.len() > LARGEST {
            break;
        }
        file.extend(length);
        file.extend(input);
    }
    file
}

/// The inputs of a file; `None` where it is none.
#[must_use]
pub fn unpack(mut file: &[u8]) -> Option<Vec<Vec<u8>>> {
    let mut inputs = Vec::new();
    while !file.is_empty() {
        let (length, rest) = file.split_first_chunk::<4>()?;
        let (input, rest) = rest.split_at_checked(u32::from_be_bytes(*length) as usize)?;
        inputs.push(input.to_vec());
        file = rest;
    }
    Some(inputs)
}
