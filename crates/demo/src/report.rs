// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What the demo prints.

use std::fmt;
use std::net::SocketAddr;
use std::path::Path;

use sealgate_frontend::model::digits::{Image, LabelledImage, SIDE};
use serde_json::{Value, json};

use crate::client::{Recognised, score_request};
use crate::figures::{Figures, Tally};

/// Images shown, side by side.
const SAMPLES: usize = 4;

/// Characters for pixels above an intensity, the darkest first; full ink is 16.
const SHADES: [(f32, char); 4] = [(12.0, '@'), (8.0, 'O'), (4.0, 'o'), (0.0, '.')];

/// Shows the first images as they are sent.
pub(crate) fn print_samples(images: &[LabelledImage]) {
    println!("the first {SAMPLES} images:\n");
    for row in 0..SIDE {
        let line: Vec<_> =
            images.iter().take(SAMPLES).map(|image| shades(&image.image, row)).collect();
        println!("  {}", line.join("   "));
    }
    println!();
}

/// One row of an image, two characters a pixel.
fn shades(image: &Image, row: usize) -> String {
    let shade = |intensity: &f32| {
        SHADES.iter().find(|(above, _)| intensity > above).map_or(' ', |(_, shade)| *shade)
    };
    image[row * SIDE..(row + 1) * SIDE].iter().map(shade).flat_map(|shade| [shade, shade]).collect()
}

/// Tells what became of one image; they are counted from 1.
pub(crate) fn print_recognised(number: usize, label: u8, recognised: Recognised) {
    let Recognised { digit, probability } = recognised;
    let verdict = if digit == label { "" } else { "  wrong" };
    println!(
        "image {number:>2}: a {label}, recognised as {digit} ({:.1} %){verdict}",
        probability * 100.0
    );
}

/// Tells how to go on by hand.
pub(crate) fn print_invitation(address: SocketAddr, certificate: &Path, image: &Image) {
    let body = score_request(image);
    let certificate = certificate.display();
    println!("\nStill serving; Ctrl-C ends it. Try:\n");
    println!(
        "curl --cacert '{certificate}' --header 'content-type: application/json' --data '{body}' https://{address}/score"
    );
    println!("curl --cacert '{certificate}' https://{address}/metrics");
}

/// What the demo came to.
pub(crate) struct Summary {
    images: usize,
    correct: usize,
    figures: Figures,
}

impl Summary {
    pub(crate) fn new(images: usize, correct: usize, figures: Figures) -> Self {
        Self { images, correct, figures }
    }

    /// The figures for programs.
    pub(crate) fn to_json(&self) -> Value {
        json!({
            "images": self.images,
            "correct": self.correct,
            "records_sealed_device": self.figures.sealed.records,
            "records_opened_device": self.figures.opened.records,
            "records_software": self.figures.records_software(),
            "device": self.figures.device,
            "device_cycles": self.figures.cycles,
        })
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { images, correct, figures } = self;
        let device = &figures.device;
        writeln!(f, "{correct} of {images} images recognised\n")?;
        writeln!(f, "{:44}{:>10}{:>12}", "TLS records", "records", "bytes")?;
        row(f, &format!("sealed by the device ({device})"), figures.sealed)?;
        row(f, &format!("opened by the device ({device})"), figures.opened)?;
        for ((operation, reason), tally) in &figures.software {
            let done = if operation == "seal" { "sealed" } else { "opened" };
            row(f, &format!("{done} by software ({reason})"), *tally)?;
        }
        if figures.software.is_empty() {
            row(f, "by software", Tally::default())?;
        }
        writeln!(f)?;
        writeln!(f, "{:44}{:>10}", "device cycles", figures.cycles)?;
        writeln!(f, "{:44}{:>10}", "  of them with records in flight", figures.busy_cycles)?;
        match figures.bytes_per_cycle() {
            Some(rate) => {
                writeln!(f, "{:44}{rate:>10.3}", "bytes per cycle with records in flight")
            }
            None => Ok(()),
        }
    }
}

fn row(f: &mut fmt::Formatter<'_>, name: &str, tally: Tally) -> fmt::Result {
    writeln!(f, "{name:44}{:>10}{:>12}", tally.records, tally.bytes)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn summary() -> Summary {
        let software = ("open".to_owned(), "timeout".to_owned());
        let figures = Figures {
            device: "sim:rtl".to_owned(),
            sealed: Tally { records: 33, bytes: 6000 },
            opened: Tally { records: 34, bytes: 8000 },
            cycles: 500_000,
            busy_cycles: 7000,
            software: BTreeMap::from([(software, Tally { records: 3, bytes: 90 })]),
        };
        Summary::new(32, 31, figures)
    }

    #[test]
    fn the_file_has_the_promised_members() {
        let json = summary().to_json();
        assert_eq!(
            json,
            json!({
                "images": 32, "correct": 31, "records_sealed_device": 33, "records_opened_device": 34,
                "records_software": 3, "device": "sim:rtl", "device_cycles": 500_000,
            })
        );
    }

    #[test]
    fn the_table_tells_what_software_did_and_why() {
        let text = summary().to_string();
        let row = text.lines().find(|line| line.contains("(timeout)")).unwrap();
        let words: Vec<_> = row.split_whitespace().collect();
        assert_eq!(words, ["opened", "by", "software", "(timeout)", "3", "90"]);
        assert!(text.contains("2.000"), "{text}");
    }

    #[test]
    fn ink_is_darker_than_paper() {
        let mut image = [0.0; 64];
        image[1] = 16.0;
        image[2] = 1.0;
        assert_eq!(shades(&image, 0), "  @@..          ");
    }
}
