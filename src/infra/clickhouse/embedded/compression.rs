//! ClickHouse's own compressed frames (`compress=1`, `decompress=1`).
//!
//! A frame is a 16-byte checksum, a byte for the method, the compressed and the plain size as 32-bit little-endian
//! integers, the first counting the 9 bytes of the header, and the data. Source: `src/Compression/CompressedReadBufferBase.cpp`.

use bytes::{Buf, BufMut, Bytes, BytesMut};

use super::exception::{Exception, code};

const CHECKSUM: usize = 16;
const HEADER: usize = 9;
const LZ4: u8 = 0x82;
const ZSTD: u8 = 0x90;
const PLAIN: u8 = 0x02;
/// Largest plain size of a frame that is accepted, and of one that is made.
const MAX_ACCEPTED: usize = 128 * 1024 * 1024;
const MAX_MADE: usize = 1024 * 1024;

fn checksum(header_and_data: &[u8]) -> u128 {
    cityhash_rs::cityhash_102_128(header_and_data).rotate_right(64)
}

fn refuse(text: impl std::fmt::Display) -> Exception {
    Exception::new(code::CANNOT_DECOMPRESS, "CANNOT_DECOMPRESS", text)
}

/// Wraps data into LZ4 frames.
pub(super) fn compress(data: &[u8]) -> Bytes {
    let mut out = BytesMut::new();
    for plain in data.chunks(MAX_MADE) {
        let packed = lz4_flex::block::compress(plain);
        let mut frame = Vec::with_capacity(HEADER + packed.len());
        frame.put_u8(LZ4);
        frame.put_u32_le(u32::try_from(HEADER + packed.len()).unwrap_or(u32::MAX));
        frame.put_u32_le(u32::try_from(plain.len()).unwrap_or(u32::MAX));
        frame.extend_from_slice(&packed);
        out.put_u128_le(checksum(&frame));
        out.extend_from_slice(&frame);
    }
    out.freeze()
}

/// Takes frames apart as they come in.
#[derive(Default)]
pub(super) struct Decoder {
    pending: BytesMut,
}

impl Decoder {
    /// Adds bytes and returns the plain data of the frames they complete.
    pub(super) fn push(&mut self, bytes: &[u8]) -> Result<Bytes, Exception> {
        self.pending.extend_from_slice(bytes);
        let mut plain = BytesMut::new();
        while let Some(frame) = self.take_frame()? {
            unpack(&frame, &mut plain)?;
        }
        Ok(plain.freeze())
    }

    /// Checks that nothing was cut off.
    pub(super) fn finish(&self) -> Result<(), Exception> {
        if self.pending.is_empty() { Ok(()) } else { Err(refuse("The compressed data ends within a frame")) }
    }

    fn take_frame(&mut self) -> Result<Option<Bytes>, Exception> {
        let Some(mut sizes) = self.pending.get(CHECKSUM + 1..CHECKSUM + HEADER) else { return Ok(None) };
        let (packed, plain) = (sizes.get_u32_le() as usize, sizes.get_u32_le() as usize);
        if !(HEADER..=MAX_ACCEPTED).contains(&packed) || plain > MAX_ACCEPTED {
            return Err(refuse(format_args!("A frame of {packed} bytes for {plain} bytes is out of bounds")));
        }
        if self.pending.len() < CHECKSUM + packed {
            return Ok(None);
        }
        let mut frame = self.pending.split_to(CHECKSUM + packed);
        let expected = frame.get_u128_le();
        if checksum(&frame) != expected {
            return Err(Exception::new(40, "CHECKSUM_DOESNT_MATCH", "The checksum of a compressed frame does not match"));
        }
        Ok(Some(frame.freeze()))
    }
}

fn unpack(frame: &[u8], out: &mut BytesMut) -> Result<(), Exception> {
    let mut header = frame;
    let method = header.get_u8();
    let _packed = header.get_u32_le();
    let size = header.get_u32_le() as usize;
    let data = header;
    let start = out.len();
    match method {
        PLAIN => out.extend_from_slice(data),
        LZ4 => {
            out.resize(start + size, 0);
            let written = lz4_flex::block::decompress_into(data, &mut out[start..]).map_err(refuse)?;
            out.truncate(start + written);
        }
        ZSTD => out.extend_from_slice(&zstd::bulk::decompress(data, size).map_err(refuse)?),
        other => return Err(refuse(format_args!("Unknown compression method 0x{other:02x}"))),
    }
    if out.len() - start == size { Ok(()) } else { Err(refuse("A compressed frame has another size than it says")) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Decoder, compress};

    proptest! {
        #[test]
        fn gives_back_what_it_took(data: Vec<u8>, step in 1_usize..64) {
            let mut decoder = Decoder::default();
            let mut plain = Vec::new();
            for chunk in compress(&data).chunks(step) {
                plain.extend_from_slice(&decoder.push(chunk).unwrap());
            }
            decoder.finish().unwrap();
            prop_assert_eq!(plain, data);
        }

        #[test]
        fn garbage_is_an_error_and_not_a_crash(data: Vec<u8>) {
            let mut decoder = Decoder::default();
            let outcome = decoder.push(&data).and_then(|plain| decoder.finish().map(|()| plain));
            prop_assert!(data.is_empty() || outcome.is_err());
        }
    }

    #[test]
    fn notices_a_changed_byte() {
        let mut packed = compress(b"some data that is long enough").to_vec();
        packed[30] ^= 1;
        assert_eq!(Decoder::default().push(&packed).map_err(|error| error.code()), Err(40));
    }
}
