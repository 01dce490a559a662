//! The metrics page, parsed strictly by the Prometheus text format (0.0.4).

use std::collections::BTreeSet;
use std::net::SocketAddr;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::TestApp;

/// The metrics page at one moment.
pub struct Page {
    pub text: String,
    /// The families, each with its type.
    pub families: Vec<(String, String)>,
    pub samples: Vec<Sample>,
}

/// One line with a value.
#[derive(Debug, PartialEq)]
pub struct Sample {
    pub name: String,
    pub labels: Vec<(String, String)>,
    pub value: f64,
}

impl TestApp {
    /// Fetches the current metrics of the app.
    pub async fn metrics(&self) -> Page {
        let (head, text) = get(self.admin_addr, "/metrics").await;
        assert!(head.starts_with("HTTP/1.1 200"), "{head}");
        assert!(head.contains("content-type: text/plain; version=0.0.4; charset=utf-8\r\n"), "{head}");
        Page::parse(text)
    }
}

/// Fetches a path over HTTP/1.1, and returns the head and the body.
pub async fn get(addr: SocketAddr, path: &str) -> (String, String) {
    let mut tcp = TcpStream::connect(addr).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n");
    tcp.write_all(request.as_bytes()).await.unwrap();
    let mut response = String::new();
    tcp.read_to_string(&mut response).await.unwrap();
    let (head, body) = response.split_once("\r\n\r\n").unwrap();
    (format!("{head}\r\n"), body.to_owned())
}

impl Page {
    /// Returns the label values and the count of each nonzero series of a family, sorted.
    pub fn counted(&self, name: &str) -> Vec<String> {
        let of_name = self.samples.iter().filter(|sample| sample.name == name && sample.value != 0.0);
        let line = |sample: &Sample| {
            let labels = sample.labels.iter().map(|(_, value)| value.as_str());
            labels.chain([sample.value.to_string().as_str()]).collect::<Vec<_>>().join(" ")
        };
        let mut lines: Vec<_> = of_name.map(line).collect();
        lines.sort();
        lines
    }

    /// Returns the only value of this name.
    pub fn value(&self, name: &str) -> f64 {
        let mut of_name = self.samples.iter().filter(|sample| sample.name == name);
        let only = of_name.next().unwrap_or_else(|| panic!("no {name}:\n{}", self.text));
        assert_eq!(of_name.next(), None);
        only.value
    }

    fn parse(text: String) -> Self {
        assert!(text.ends_with('\n'));
        let (mut families, mut samples) = (Vec::<(String, String)>::new(), Vec::new());
        let (mut helped, mut series) = (None, BTreeSet::new());
        for line in text.lines() {
            if let Some(help) = line.strip_prefix("# HELP ") {
                let (name, help) = help.split_once(' ').unwrap();
                assert!(is_name(name) && help.ends_with('.') && help.len() > 1, "{line}");
                assert!(families.iter().all(|(before, _)| before != name), "{name} comes twice");
                helped = Some(name.to_owned());
            } else if let Some(kind) = line.strip_prefix("# TYPE ") {
                let (name, kind) = kind.split_once(' ').unwrap();
                assert_eq!(helped.take().as_deref(), Some(name), "its help comes right before");
                assert!(matches!(kind, "counter" | "gauge" | "histogram"), "{line}");
                assert_eq!(kind == "counter", name.ends_with("_total"), "{line}");
                families.push((name.to_owned(), kind.to_owned()));
            } else {
                let (sample, of) = (sample(line), families.last().unwrap());
                assert!(of.names().contains(&sample.name), "{line} is no line of {of:?}");
                assert!(series.insert(line.rsplit_once(' ').unwrap().0.to_owned()), "{line} comes twice");
                samples.push(sample);
            }
        }
        let page = Self { text, families, samples };
        page.check_histograms();
        page
    }

    /// Checks that buckets never decrease, and that the last one equals the count.
    fn check_histograms(&self) {
        for (name, _) in self.families.iter().filter(|(_, kind)| kind == "histogram") {
            let of = |part: &'static str| {
                let whole = format!("{name}_{part}");
                self.samples.iter().filter(move |sample| sample.name == whole)
            };
            for count in of("count") {
                let mine = of("bucket").filter(|bucket| bucket.labels.starts_with(&count.labels));
                let buckets: Vec<_> =
                    mine.map(|bucket| (&bucket.labels.last().unwrap().1, bucket.value)).collect();
                assert!(buckets.is_sorted_by_key(|(_, value)| *value), "{buckets:?}");
                assert_eq!(buckets.last(), Some(&(&"+Inf".to_owned(), count.value)));
            }
            assert_eq!(of("count").count(), of("sum").count());
        }
    }
}

trait Names {
    /// Returns the names that the lines of a family may have.
    fn names(&self) -> Vec<String>;
}

impl Names for (String, String) {
    fn names(&self) -> Vec<String> {
        let (name, kind) = self;
        if kind == "histogram" {
            ["bucket", "sum", "count"].iter().map(|part| format!("{name}_{part}")).collect()
        } else {
            vec![name.clone()]
        }
    }
}

fn sample(line: &str) -> Sample {
    let (series, value) = line.rsplit_once(' ').unwrap();
    let value = value.parse().unwrap_or_else(|_| panic!("no number: {line}"));
    let Some((name, labels)) = series.split_once('{') else {
        assert!(is_name(series), "{line}");
        return Sample { name: series.to_owned(), labels: Vec::new(), value };
    };
    assert!(is_name(name), "{line}");
    let labels = labels.strip_suffix('}').unwrap().split(',').map(|label| {
        let (name, value) = label.split_once('=').unwrap();
        let value = value.strip_prefix('"').and_then(|value| value.strip_suffix('"')).unwrap();
        // No label of Gatepass needs an escape.
        assert!(is_name(name) && !value.contains(['"', '\\', '\n']), "{line}");
        (name.to_owned(), value.to_owned())
    });
    Sample { name: name.to_owned(), labels: labels.collect(), value }
}

fn is_name(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_lowercase())
        && name.chars().all(|other| other.is_ascii_lowercase() || other.is_ascii_digit() || other == '_')
}
