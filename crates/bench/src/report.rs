// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Figures as a page that a person can open: a plot for each axis that was swept, and a table.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use plotters::prelude::*;

use crate::point::{Figure, direction_name, suite_name, version_name};

/// Size of a plot in pixels.
const SIZE: (u32, u32) = (900, 480);

/// A plot.
#[derive(Clone, Debug)]
pub struct Plot {
    /// What is on the horizontal axis, in words joined by hyphens; fit for a file name.
    pub name: &'static str,
    /// The picture.
    pub svg: String,
}

/// An axis that may have been swept.
struct Axis {
    name: &'static str,
    label: &'static str,
    value: fn(&Figure) -> usize,
}

const AXES: [Axis; 6] = [
    Axis {
        name: "record-size",
        label: "bytes of content of a record",
        value: |it| it.record_bytes,
    },
    Axis {
        name: "records-per-entry",
        label: "records of one entry",
        value: |it| it.records_per_entry,
    },
    Axis { name: "lanes", label: "lanes", value: |it| it.lanes },
    Axis { name: "connections", label: "connections", value: |it| it.connections },
    Axis { name: "queues", label: "queues", value: |it| it.queues },
    Axis {
        name: "read-latency",
        label: "cycles of read latency",
        value: |it| it.read_latency_cycles as usize,
    },
];

/// Draws a plot for each axis along which the figures differ.
///
/// # Errors
///
/// When a picture cannot be drawn.
pub fn plots(figures: &[Figure]) -> Result<Vec<Plot>, PlotError> {
    AXES.iter()
        .filter(|axis| varies(figures, axis.value))
        .map(|axis| Ok(Plot { name: axis.name, svg: draw(figures, axis)? }))
        .collect()
}

/// The page: the plots and a table of all figures.
#[must_use]
pub fn page(figures: &[Figure], plots: &[Plot]) -> String {
    let mut html = String::from(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<title>sealgate bench device</title>\n\
         <style>body{font:15px/1.5 sans-serif;margin:2em auto;max-width:80em;padding:0 1em}\
         table{border-collapse:collapse;font-variant-numeric:tabular-nums}\
         th,td{padding:.15em .6em;text-align:right;border-bottom:1px solid #ddd}</style>\n\
         <h1>Record engine, simulated</h1>\n\
         <p>Clock cycles of the RTL under Verilator, behind a bus model with the stated read latency. Gb/s assume the \
         stated clock. Nothing here was measured on hardware.</p>\n",
    );
    for plot in plots {
        let _ = writeln!(html, "<h2 id=\"{0}\">By {1}</h2>\n{2}", plot.name, plot.name, plot.svg);
    }
    html.push_str("<h2>Figures</h2>\n<table>\n<tr>");
    for head in HEADS {
        let _ = write!(html, "<th>{head}</th>");
    }
    html.push_str("</tr>\n");
    for figure in figures {
        html.push_str("<tr>");
        for cell in cells(figure) {
            let _ = write!(html, "<td>{cell}</td>");
        }
        html.push_str("</tr>\n");
    }
    html.push_str("</table>\n</html>\n");
    html
}

/// The table as text.
#[must_use]
pub fn table(figures: &[Figure]) -> String {
    let mut text = line(HEADS.map(str::to_owned));
    for figure in figures {
        text.push_str(&line(cells(figure)));
    }
    text
}

const HEADS: [&str; 15] = [
    "suite",
    "TLS",
    "direction",
    "record B",
    "per entry",
    "lanes",
    "bus",
    "connections",
    "queues",
    "B/cycle",
    "records/cycle",
    "p50 cycles",
    "p99 cycles",
    "limited by",
    "Gb/s",
];

fn cells(figure: &Figure) -> [String; HEADS.len()] {
    [
        suite_name(figure.suite).to_owned(),
        version_name(figure.tls_version).to_owned(),
        direction_name(figure.direction).to_owned(),
        figure.record_bytes.to_string(),
        figure.records_per_entry.to_string(),
        figure.lanes.to_string(),
        figure.bus_bits.to_string(),
        figure.connections.to_string(),
        figure.queues.to_string(),
        format!("{:.2}", figure.payload_bytes_per_cycle),
        format!("{:.4}", figure.records_per_cycle),
        figure.latency_cycles_p50.to_string(),
        figure.latency_cycles_p99.to_string(),
        figure.limited_by.to_string(),
        format!("{:.1}", figure.gbit_per_s),
    ]
}

fn line(cells: [String; HEADS.len()]) -> String {
    let mut line = String::new();
    for (head, cell) in HEADS.iter().zip(cells) {
        let width = match *head {
            "suite" => 18,
            "limited by" => 14,
            _ => head.len().max(6),
        };
        let _ = write!(line, "{cell:>width$} ");
    }
    line.truncate(line.trim_end().len());
    line.push('\n');
    line
}

/// Points of a series: place on the horizontal axis and bytes per cycle.
type Series = Vec<(f64, f64)>;

/// One line per combination of everything else that differs.
fn series(figures: &[Figure], axis: &Axis) -> BTreeMap<String, Series> {
    let mut lines: BTreeMap<String, Series> = BTreeMap::new();
    for figure in figures {
        let mut label = format!(
            "{} {} TLS {}",
            suite_name(figure.suite),
            direction_name(figure.direction),
            version_name(figure.tls_version)
        );
        for other in AXES.iter().filter(|other| other.name != axis.name) {
            if varies(figures, other.value) {
                let _ = write!(label, ", {} {}", (other.value)(figure), other.name);
            }
        }
        let point = ((axis.value)(figure) as f64, figure.payload_bytes_per_cycle);
        lines.entry(label).or_default().push(point);
    }
    for line in lines.values_mut() {
        line.sort_by(|a, b| a.0.total_cmp(&b.0));
    }
    lines
}

fn draw(figures: &[Figure], axis: &Axis) -> Result<String, PlotError> {
    let lines = series(figures, axis);
    let xs = || figures.iter().map(|figure| (axis.value)(figure) as f64);
    let (least, most) = (xs().fold(f64::INFINITY, f64::min), xs().fold(1.0, f64::max));
    let top = figures.iter().map(|figure| figure.payload_bytes_per_cycle).fold(1.0, f64::max);
    let mut svg = String::new();
    {
        let root = SVGBackend::with_string(&mut svg, SIZE).into_drawing_area();
        root.fill(&WHITE).map_err(failed)?;
        let mut chart = ChartBuilder::on(&root)
            .margin(12)
            .x_label_area_size(44)
            .y_label_area_size(56)
            .build_cartesian_2d((least * 0.9..most * 1.1).log_scale(), 0.0..top * 1.1)
            .map_err(failed)?;
        chart
            .configure_mesh()
            .x_desc(axis.label)
            .y_desc("payload bytes per cycle (simulated)")
            .x_label_formatter(&|x| format!("{x:.0}"))
            .draw()
            .map_err(failed)?;
        for (number, (label, points)) in lines.into_iter().enumerate() {
            let color = Palette99::pick(number).to_rgba();
            chart
                .draw_series(LineSeries::new(points, color.stroke_width(2)).point_size(3))
                .map_err(failed)?
                .label(label)
                .legend(move |(x, y)| PathElement::new([(x, y), (x + 16, y)], color));
        }
        chart
            .configure_series_labels()
            .position(SeriesLabelPosition::LowerRight)
            .background_style(WHITE.mix(0.8))
            .draw()
            .map_err(failed)?;
        root.present().map_err(failed)?;
    }
    Ok(svg)
}

fn varies(figures: &[Figure], value: fn(&Figure) -> usize) -> bool {
    figures.iter().any(|figure| figures.first().is_some_and(|first| value(first) != value(figure)))
}

fn failed(error: impl std::error::Error) -> PlotError {
    PlotError(error.to_string())
}

/// A plot could not be drawn.
#[derive(Debug, thiserror::Error)]
#[error("a plot could not be drawn: {0}")]
pub struct PlotError(String);
