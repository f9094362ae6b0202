// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The JSON of `/score`.
//!
//! A request is read in one pass, without a tree of it in memory: what is kept is at most
//! [`MAX_IMAGES`] images, whatever a client sends. Each message says where in the request the fault
//! is (`data[2][17]`) and, in the words of the JSON reader, at which line and column.

use std::fmt;

use serde::Serialize;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::refusal::Refusal;
use crate::model::digits::{CLASSES, Image, MAX_INTENSITY, PIXELS, SIDE};
use crate::{ScoreRequest, ScoreResponse};

/// Most images in one request.
pub const MAX_IMAGES: usize = 1024;

/// Longest message about a malformed request, in bytes: it may quote the client.
const MAX_MESSAGE_BYTES: usize = 300;

/// Reads `{"data": [image, ...]}`; an image is 64 numbers, or 8 rows of 8.
pub(super) fn parse(body: &[u8]) -> Result<ScoreRequest, Refusal> {
    let mut reader = serde_json::Deserializer::from_slice(body);
    let images = RequestSeed.deserialize(&mut reader).and_then(|images| {
        reader.end()?;
        Ok(images)
    });
    images.map(|images| ScoreRequest { images }).map_err(|error| malformed(error.to_string()))
}

/// Writes `{"result": [digit, ...], "probabilities": [[...], ...]}`.
pub(super) fn render(response: &ScoreResponse) -> Result<String, Refusal> {
    #[derive(Serialize)]
    struct Answer {
        result: Vec<u8>,
        probabilities: Vec<[f32; CLASSES]>,
    }
    let found = &response.classifications;
    let answer = Answer {
        result: found.iter().map(|one| one.digit).collect(),
        probabilities: found.iter().map(|one| one.probabilities).collect(),
    };
    serde_json::to_string(&answer).map_err(|_| Refusal::Unwritable)
}

fn malformed(mut message: String) -> Refusal {
    if message.len() > MAX_MESSAGE_BYTES {
        let place = message.rfind(" at line ").map(|at| message.split_off(at));
        while message.len() > MAX_MESSAGE_BYTES {
            message.pop();
        }
        message.push_str("...");
        message.push_str(&place.unwrap_or_default());
    }
    Refusal::Malformed(message)
}

/// The whole request: an object with `data`; other members are ignored.
struct RequestSeed;

impl<'de> DeserializeSeed<'de> for RequestSeed {
    type Value = Vec<Image>;

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<Self::Value, D::Error> {
        reader.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for RequestSeed {
    type Value = Vec<Image>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with the member data")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
        let mut images = None;
        while let Some(name) = members.next_key::<String>()? {
            if name != "data" {
                members.next_value::<IgnoredAny>()?;
            } else if images.is_some() {
                return Err(Error::duplicate_field("data"));
            } else {
                images = Some(members.next_value_seed(ImagesSeed)?);
            }
        }
        images.ok_or_else(|| Error::missing_field("data"))
    }
}

/// The array of images.
struct ImagesSeed;

impl<'de> DeserializeSeed<'de> for ImagesSeed {
    type Value = Vec<Image>;

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<Self::Value, D::Error> {
        reader.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for ImagesSeed {
    type Value = Vec<Image>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of images in data")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Self::Value, A::Error> {
        let mut images = Vec::new();
        while images.len() < MAX_IMAGES {
            match elements.next_element_seed(ImageSeed { index: images.len() })? {
                Some(image) => images.push(image),
                None if images.is_empty() => return Err(Error::custom("data holds no image")),
                None => return Ok(images),
            }
        }
        match elements.next_element::<IgnoredAny>()? {
            None => Ok(images),
            Some(_) => Err(Error::custom(format_args!("data holds more than {MAX_IMAGES} images"))),
        }
    }
}

/// One image: 64 numbers, or 8 rows of 8 numbers.
#[derive(Clone, Copy)]
struct ImageSeed {
    index: usize,
}

impl<'de> DeserializeSeed<'de> for ImageSeed {
    type Value = Image;

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<Self::Value, D::Error> {
        reader.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for ImageSeed {
    type Value = Image;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an array of {PIXELS} numbers, or of {SIDE} rows, as data[{}]", self.index)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Self::Value, A::Error> {
        let mut image = [0.0; PIXELS];
        let mut position = 0;
        let mut shape = None;
        loop {
            let seed = ElementSeed { image: self.index, position, shape, pixels: &mut image };
            let Some(found) = elements.next_element_seed(seed)? else { break };
            shape = Some(found);
            position += 1;
        }
        let (expected, what) = match shape {
            Some(Shape::Nested) => (SIDE, "rows"),
            Some(Shape::Flat) | None => (PIXELS, "numbers"),
        };
        if position != expected {
            return Err(Error::custom(format_args!(
                "data[{}] holds {position} {what} instead of {expected}",
                self.index
            )));
        }
        Ok(image)
    }
}

/// How an image is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    /// All numbers in one array.
    Flat,
    /// An array of rows.
    Nested,
}

/// An element of an image: a number, or a row. The first one decides for all.
struct ElementSeed<'a> {
    image: usize,
    position: usize,
    shape: Option<Shape>,
    pixels: &'a mut Image,
}

impl ElementSeed<'_> {
    fn number<E: Error>(self, value: f64) -> Result<Shape, E> {
        let Self { image, position, .. } = self;
        if self.shape == Some(Shape::Nested) {
            return Err(E::custom(format_args!("data[{image}][{position}] is not a row")));
        }
        let Some(pixel) = self.pixels.get_mut(position) else {
            return Err(E::custom(format_args!("data[{image}] holds more than {PIXELS} numbers")));
        };
        *pixel = intensity(value).ok_or_else(|| {
            E::custom(format_args!("data[{image}][{position}] is not from 0 to {MAX_INTENSITY}"))
        })?;
        Ok(Shape::Flat)
    }
}

impl<'de> DeserializeSeed<'de> for ElementSeed<'_> {
    type Value = Shape;

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<Shape, D::Error> {
        reader.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for ElementSeed<'_> {
    type Value = Shape;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { image, position, .. } = self;
        let what = match self.shape {
            None => "a number or a row",
            Some(Shape::Flat) => "a number",
            Some(Shape::Nested) => "a row",
        };
        write!(f, "{what} as data[{image}][{position}]")
    }

    #[allow(clippy::cast_precision_loss)]
    fn visit_u64<E: Error>(self, value: u64) -> Result<Shape, E> {
        self.number(value as f64)
    }

    #[allow(clippy::cast_precision_loss)]
    fn visit_i64<E: Error>(self, value: i64) -> Result<Shape, E> {
        self.number(value as f64)
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Shape, E> {
        self.number(value)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Shape, A::Error> {
        let Self { image, position: row, .. } = self;
        if self.shape == Some(Shape::Flat) {
            return Err(Error::custom(format_args!("data[{image}][{row}] is not a number")));
        }
        if row >= SIDE {
            return Err(Error::custom(format_args!("data[{image}] holds more than {SIDE} rows")));
        }
        let wrong = || Error::custom(format_args!("data[{image}][{row}] is not {SIDE} numbers"));
        for (column, pixel) in self.pixels[row * SIDE..][..SIDE].iter_mut().enumerate() {
            let seed = PixelSeed { image, row, column };
            *pixel = elements.next_element_seed(seed)?.ok_or_else(wrong)?;
        }
        match elements.next_element::<IgnoredAny>()? {
            None => Ok(Shape::Nested),
            Some(_) => Err(wrong()),
        }
    }
}

/// A number within a row.
struct PixelSeed {
    image: usize,
    row: usize,
    column: usize,
}

impl PixelSeed {
    fn number<E: Error>(&self, value: f64) -> Result<f32, E> {
        let Self { image, row, column } = self;
        intensity(value).ok_or_else(|| {
            let place = format!("data[{image}][{row}][{column}]");
            E::custom(format_args!("{place} is not from 0 to {MAX_INTENSITY}"))
        })
    }
}

impl<'de> DeserializeSeed<'de> for PixelSeed {
    type Value = f32;

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<f32, D::Error> {
        reader.deserialize_any(self)
    }
}

impl Visitor<'_> for PixelSeed {
    type Value = f32;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { image, row, column } = self;
        write!(f, "a number as data[{image}][{row}][{column}]")
    }

    #[allow(clippy::cast_precision_loss)]
    fn visit_u64<E: Error>(self, value: u64) -> Result<f32, E> {
        self.number(value as f64)
    }

    #[allow(clippy::cast_precision_loss)]
    fn visit_i64<E: Error>(self, value: i64) -> Result<f32, E> {
        self.number(value as f64)
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<f32, E> {
        self.number(value)
    }
}

fn intensity(value: f64) -> Option<f32> {
    (0.0..=f64::from(MAX_INTENSITY)).contains(&value).then_some(value as f32)
}
