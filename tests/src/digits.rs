// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Scoring requests made of the held-out digits, with the answers that the model must give.

use sealgate_frontend::MAX_BODY_BYTES;
use sealgate_frontend::model::digits::{Digits, Image, held_out};
use serde_json::Value;

/// A body for `POST /score` and what must come back.
#[derive(Clone, Debug)]
pub struct ScoreBody {
    /// The JSON to send.
    pub json: String,
    /// The digits that the model recognises in it.
    pub digits: Vec<u8>,
}

/// Makes scoring requests.
#[derive(Debug)]
pub struct Scorer {
    images: Vec<(Image, u8)>,
}

impl Scorer {
    /// Runs the model on the held-out images, in this process.
    #[must_use]
    pub fn new() -> Self {
        let digits = Digits::load().expect("the embedded model loads");
        let classify =
            |image: &Image| digits.classify(image).expect("an image is classified").digit;
        let shown = held_out().expect("the held-out images load");
        let images = shown.iter().map(|shown| (shown.image, classify(&shown.image)));
        Self { images: images.collect() }
    }

    /// A body with `count` images, beginning at image `first` of the held-out ones, and around again.
    #[must_use]
    pub fn body(&self, first: usize, count: usize) -> ScoreBody {
        let chosen: Vec<_> = self.images.iter().cycle().skip(first).take(count).collect();
        let images = chosen.iter().map(|(image, _)| {
            let pixels: Vec<_> = image.iter().map(ToString::to_string).collect();
            format!("[{}]", pixels.join(","))
        });
        let json = format!("{{\"data\":[{}]}}", images.collect::<Vec<_>>().join(","));
        ScoreBody { json, digits: chosen.iter().map(|(_, digit)| *digit).collect() }
    }

    /// A body of the largest size that is served.
    #[must_use]
    pub fn largest_body(&self, first: usize) -> ScoreBody {
        let mut body = self.body(first, sealgate_frontend::MAX_IMAGES);
        let missing = MAX_BODY_BYTES - body.json.len();
        body.json.push_str(&" ".repeat(missing));
        body
    }
}

impl Default for Scorer {
    fn default() -> Self {
        Self::new()
    }
}

impl ScoreBody {
    /// Holds an answer's body against what the model recognises.
    pub fn check(&self, answer: &[u8]) {
        let text = String::from_utf8_lossy(answer);
        let answer: Value = serde_json::from_slice(answer)
            .unwrap_or_else(|error| panic!("the answer is not JSON: {error}: {text}"));
        assert_eq!(answer["result"], serde_json::json!(self.digits), "{text}");
        let probabilities = answer["probabilities"].as_array().map(Vec::len);
        assert_eq!(probabilities, Some(self.digits.len()), "{text}");
    }
}
