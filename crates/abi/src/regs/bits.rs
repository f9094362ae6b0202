// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Fields of a 32-bit word.

/// The `width` bits from bit `lsb` on.
pub(super) const fn get(word: u32, lsb: u32, width: u32) -> u32 {
    (word >> lsb) & mask(width)
}

/// `word` with the `width` bits from bit `lsb` on taken from `value`; its further bits are dropped.
pub(super) const fn set(word: u32, lsb: u32, width: u32, value: u32) -> u32 {
    (word & !(mask(width) << lsb)) | (value & mask(width)) << lsb
}

const fn mask(width: u32) -> u32 {
    u32::MAX >> (u32::BITS - width)
}
