//! The picture of an installation: boxes and arrows with integer coordinates.
//!
//! Templates only print what is computed here. Small installations show every server; a lane with more than
//! [`MAX_SHOWN`] servers shows one box for all of them, so the picture has the same size for two servers and for a
//! thousand. This module must not know SVG or Markdown.

use schemars::JsonSchema;
use serde::Serialize;

use super::{Facts, ServerFacts};

/// Most servers a lane shows one by one.
pub const MAX_SHOWN: usize = 6;

const LANE_WIDTH: i32 = 200;
const GAP: i32 = 150;
const MARGIN: i32 = 16;
const HEADER: i32 = 40;
const NODE_HEIGHT: i32 = 52;
const NODE_SPACE: i32 = 14;
const ARROW_SPACE: i32 = 46;

/// The picture.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Topology {
    /// Width of the whole picture.
    pub width: i32,
    /// Height of the whole picture.
    pub height: i32,
    /// Columns that hold boxes.
    pub lanes: Vec<Lane>,
    /// Boxes.
    pub nodes: Vec<Node>,
    /// Arrows.
    pub edges: Vec<Edge>,
    /// The arrows in words, for a table.
    pub links: Vec<Link>,
    /// Federation links in words: from broker, to broker. At most [`MAX_LINKS`]; `more_federation` counts the rest.
    pub federation: Vec<Link>,
    /// How many federation links are not in the list.
    pub more_federation: usize,
}

/// Most federation links listed in words.
pub const MAX_LINKS: usize = 40;

/// A column.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Lane {
    /// Heading.
    pub title: String,
    /// Left edge.
    pub x: i32,
    /// Upper edge.
    pub y: i32,
    /// Width.
    pub width: i32,
    /// Height.
    pub height: i32,
    /// Middle, for the heading.
    pub center: i32,
    /// Base line of the heading.
    pub title_y: i32,
}

/// A box.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Node {
    /// `client`, `server`, `group` or `other`.
    pub kind: String,
    /// First line.
    pub title: String,
    /// Second line, shortened to fit.
    pub detail: String,
    /// Left edge.
    pub x: i32,
    /// Upper edge.
    pub y: i32,
    /// Width.
    pub width: i32,
    /// Height.
    pub height: i32,
    /// Middle, for both lines.
    pub center: i32,
    /// Base line of the first line.
    pub title_y: i32,
    /// Base line of the second line.
    pub detail_y: i32,
}

/// An arrow.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Edge {
    /// `link` or `federation`.
    pub kind: String,
    /// Its line in the path language of SVG.
    pub path: String,
    /// Text beside it; may be empty.
    pub label: String,
    /// Place of the text.
    pub label_x: i32,
    /// Place of the text.
    pub label_y: i32,
}

/// An arrow in words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Link {
    /// Who opens the connection.
    pub from: String,
    /// Who accepts it.
    pub to: String,
    /// Protocol and port.
    pub over: String,
}

struct Column {
    title: String,
    boxes: Vec<(&'static str, String, String)>,
}

/// Draws an installation. Linear in the number of servers and upstreams.
pub fn topology(facts: &Facts) -> Topology {
    let management: Vec<&ServerFacts> = facts
        .servers
        .iter()
        .filter(|server| server.is_management)
        .collect();
    let core: Vec<&ServerFacts> = facts
        .servers
        .iter()
        .filter(|server| server.is_core && !server.is_management)
        .collect();
    let https = format!("HTTPS {}", facts.proxy.https_port);
    let mut columns = vec![Column {
        title: "Clients".into(),
        boxes: vec![("client", "Browsers".into(), shorten(&facts.proxy.fqdn))],
    }];
    let combined = management.iter().any(|server| server.is_core);
    columns.push(Column {
        title: if combined {
            "Management and Core"
        } else {
            "Management"
        }
        .into(),
        boxes: boxes(&management, "Management servers"),
    });
    let mut picture = Topology::default();
    let mut arrows = vec![(0, 1, https.clone())];
    picture
        .links
        .push(link("Browsers", "Reverse proxy on Management servers", &https));
    if !core.is_empty() {
        columns.push(Column {
            title: "Core".into(),
            boxes: boxes(&core, "Core servers"),
        });
        arrows.push((2, 1, https.clone()));
        arrows.push((1, 2, "9999, 9100, 2136".into()));
        picture.links.push(link(
            "Core servers",
            "Reverse proxy on Management servers",
            &https,
        ));
        picture.links.push(link(
            "Management servers",
            "Core servers",
            "9999 Queue Manager, 9100 Operation Mode server, 2136 Message Bus",
        ));
    }
    picture.links.push(link(
        "Callback servers",
        &format!("SQL Server {}", facts.sql.server),
        &sql_port(facts),
    ));
    let broker = facts.rabbitmq.as_ref().map_or_else(
        || "AMQP 5672".to_owned(),
        |broker| format!("AMQPS {}", broker.port),
    );
    picture.links.push(link("Callback servers", "RabbitMQ", &broker));
    lay_out(&mut picture, &columns, &arrows, facts);
    federation(&mut picture, facts, &broker);
    picture
}

fn link(from: &str, to: &str, over: &str) -> Link {
    Link {
        from: from.into(),
        to: to.into(),
        over: over.into(),
    }
}

fn sql_port(facts: &Facts) -> String {
    let row = facts
        .servers
        .first()
        .and_then(|server| server.ports.iter().find(|row| row.application == "SQL Server"));
    row.map_or_else(|| "1433".to_owned(), |row| row.port.clone())
}

fn boxes(servers: &[&ServerFacts], group: &str) -> Vec<(&'static str, String, String)> {
    if servers.len() > MAX_SHOWN {
        let first = servers.first().map_or("", |server| server.name.as_str());
        let last = servers.last().map_or("", |server| server.name.as_str());
        return vec![(
            "group",
            format!("{} {group}", thousands(servers.len())),
            shorten(&format!("{first} … {last}")),
        )];
    }
    servers
        .iter()
        .map(|server| ("server", server.name.clone(), shorten(&server.fqdn)))
        .collect()
}

/// A count with commas between thousands.
fn thousands(count: usize) -> String {
    let digits = count.to_string();
    let mut out = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// At most 28 letters, with the middle left out.
fn shorten(text: &str) -> String {
    let letters: Vec<char> = text.chars().collect();
    if letters.len() <= 28 {
        return text.to_owned();
    }
    let head = letters.iter().take(15);
    let tail = letters.iter().skip(letters.len() - 12);
    head.chain(std::iter::once(&'…')).chain(tail).collect()
}

fn lay_out(picture: &mut Topology, columns: &[Column], arrows: &[(usize, usize, String)], facts: &Facts) {
    let tallest = to_i32(columns.iter().map(|column| column.boxes.len()).max().unwrap_or(1));
    // Arrows run in the gaps between the columns, one below the other, beside the boxes.
    let arrow_rows = to_i32(arrows.len().max(1));
    let content = (tallest * (NODE_HEIGHT + NODE_SPACE)).max(arrow_rows * ARROW_SPACE);
    let lane_height = HEADER + content + MARGIN / 2;
    for (index, column) in columns.iter().enumerate() {
        let x = MARGIN + to_i32(index) * (LANE_WIDTH + GAP);
        picture.lanes.push(Lane {
            title: column.title.clone(),
            x,
            y: MARGIN,
            width: LANE_WIDTH,
            height: lane_height,
            center: x + LANE_WIDTH / 2,
            title_y: MARGIN + 25,
        });
        let used = to_i32(column.boxes.len()) * (NODE_HEIGHT + NODE_SPACE) - NODE_SPACE;
        let top = MARGIN + HEADER + (content - used) / 2;
        for (row, (kind, title, detail)) in column.boxes.iter().enumerate() {
            let y = top + to_i32(row) * (NODE_HEIGHT + NODE_SPACE);
            picture
                .nodes
                .push(node(kind, title, detail, x + 10, y, LANE_WIDTH - 20));
        }
    }
    let mut rows_in_gap = [0; 4];
    for (from, to, label) in arrows {
        let gap = *from.min(to);
        let row = rows_in_gap.get_mut(gap).map_or(0, |row| {
            *row += 1;
            *row - 1
        });
        let left = MARGIN + to_i32(gap) * (LANE_WIDTH + GAP) + LANE_WIDTH;
        let y = MARGIN + HEADER + 30 + row * ARROW_SPACE;
        let (start, end) = if from < to {
            (left + 6, left + GAP - 8)
        } else {
            (left + GAP - 6, left + 8)
        };
        picture.edges.push(Edge {
            kind: "link".into(),
            path: format!("M{start} {y}H{end}"),
            label: label.clone(),
            label_x: left + GAP / 2,
            label_y: y - 8,
        });
    }
    let bottom = MARGIN + lane_height;
    let server_lanes = columns.len() - 1;
    let x = MARGIN + LANE_WIDTH + GAP;
    let width = to_i32(server_lanes) * (LANE_WIDTH + GAP) - GAP;
    let sql_top = bottom + 64;
    picture.nodes.push(node(
        "other",
        &format!("SQL Server {}", shorten(&facts.sql.server)),
        &databases(facts),
        x,
        sql_top,
        width,
    ));
    for lane in 0..server_lanes {
        let center = x + to_i32(lane) * (LANE_WIDTH + GAP) + LANE_WIDTH / 2;
        picture.edges.push(Edge {
            kind: "link".into(),
            path: format!("M{center} {}V{}", bottom + 6, sql_top - 8),
            label: sql_port(facts),
            label_x: center + 26,
            label_y: bottom + 38,
        });
    }
    // The right margin leaves room for the curves of federation links.
    picture.width = MARGIN * 3 + to_i32(columns.len()) * (LANE_WIDTH + GAP) - GAP;
    picture.height = sql_top + NODE_HEIGHT + MARGIN;
}

fn databases(facts: &Facts) -> String {
    shorten(&format!(
        "{}, {}",
        facts.sql.config_database, facts.sql.report_database
    ))
}

fn node(kind: &str, title: &str, detail: &str, x: i32, y: i32, width: i32) -> Node {
    Node {
        kind: kind.into(),
        title: title.into(),
        detail: detail.into(),
        x,
        y,
        width,
        height: NODE_HEIGHT,
        center: x + width / 2,
        title_y: y + 22,
        detail_y: y + 40,
    }
}

/// Federation links between brokers: a curve where both boxes are shown, and a line of the table.
fn federation(picture: &mut Topology, facts: &Facts, over: &str) {
    let at = |picture: &Topology, name: &str| {
        picture
            .nodes
            .iter()
            .find(|node| node.kind == "server" && node.title.eq_ignore_ascii_case(name))
            .map(|node| (node.x, node.y + node.height / 2, node.width))
    };
    // At most two lanes with MAX_SHOWN boxes each are shown, so every look-up is short.
    let mut offset = 0;
    for server in &facts.servers {
        let Some(broker) = &server.rabbitmq else { continue };
        let from = at(picture, &server.name);
        for upstream in &broker.upstreams {
            if picture.federation.len() < MAX_LINKS {
                picture
                    .federation
                    .push(link(&server.name, &upstream.server, over));
            } else {
                picture.more_federation += 1;
            }
            let (Some((x1, y1, width)), Some((x2, y2, _))) = (from, at(picture, &upstream.server)) else {
                continue;
            };
            let path = if x1 == x2 {
                let right = x1 + width;
                let bulge = right + 30 + offset % 3 * 8;
                let (y1, y2) = (y1 + 8, y2 - 8);
                format!("M{right} {y1}C{bulge} {y1} {bulge} {y2} {right} {y2}")
            } else {
                // To the right, and deeper below the boxes to the left.
                let (start, end, edge, depth) = if x1 < x2 {
                    (x1 + width, x2 - 2, 12, 40)
                } else {
                    (x1, x2 + width + 2, 18, 56)
                };
                let middle = i32::midpoint(start, end);
                format!(
                    "M{start} {}C{middle} {} {middle} {} {end} {}",
                    y1 + edge,
                    y1 + depth,
                    y2 + depth,
                    y2 + edge
                )
            };
            offset += 1;
            picture.edges.push(Edge {
                kind: "federation".into(),
                path,
                label: String::new(),
                label_x: 0,
                label_y: 0,
            });
        }
    }
}

/// Counts here are at most a handful of boxes and arrows.
fn to_i32(count: usize) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX / 1000)
}
