//! The bill of materials: CycloneDX 1.5 in JSON, the same bytes for the same lock file and time.

use serde_json::{Value, json};

use super::extras::{self, Extra};
use super::graph::{Graph, Package, Part, TARGET};

/// The bill, made at this time (Unix, in seconds): everything that is in the programs (`required`) and everything that takes part
/// in building them (`excluded`).
///
/// # Errors
/// When something that comes along is not where it is expected.
pub fn bill(graph: &Graph, time: i64) -> Result<Value, String> {
    let in_it = |package: &Package| package.part != Part::Tests;
    let extras = extras::all(graph)?;
    let version = graph.roots.first().map(|at| graph.packages[*at].version.clone()).unwrap_or_default();
    let whole = format!("frontdesk@{version}");
    let components: Vec<Value> = graph
        .packages
        .iter()
        .filter(|package| in_it(package))
        .map(component)
        .chain(extras.iter().map(extra))
        .collect();
    let mut edges: Vec<Value> = graph
        .packages
        .iter()
        .filter(|package| in_it(package))
        .map(|package| {
            let needed = package
                .needs
                .iter()
                .map(|at| &graph.packages[*at])
                .filter(|other| in_it(other))
                .map(reference);
            let brought = extras.iter().filter(|extra| extra.through == package.name).map(extra_reference);
            let needs: Vec<String> = needed.chain(brought).collect();
            json!({ "ref": reference(package), "dependsOn": needs })
        })
        .collect();
    let roots = graph.roots.iter().map(|at| reference(&graph.packages[*at]));
    let alone = extras.iter().filter(|extra| graph.named(&extra.through).is_none()).map(extra_reference);
    edges.insert(0, json!({ "ref": whole, "dependsOn": roots.chain(alone).collect::<Vec<_>>() }));
    edges.extend(extras.iter().map(|extra| json!({ "ref": extra_reference(extra), "dependsOn": [] })));
    let at = chrono::DateTime::from_timestamp(time, 0).ok_or("the time is none")?;
    let mut bill = json!({
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {
            "timestamp": at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true),
            "tools": { "components": [{ "type": "application", "name": "frontdesk-dependencies", "version": version }] },
            "component": {
                "type": "application",
                "bom-ref": whole,
                "name": "frontdesk",
                "version": version,
                "licenses": [{ "expression": "GPL-3.0-or-later" }],
            },
            "properties": [{ "name": "frontdesk:target", "value": TARGET }],
        },
        "components": components,
        "dependencies": edges,
    });
    bill["serialNumber"] = Value::from(serial(&bill.to_string()));
    Ok(bill)
}

fn component(package: &Package) -> Value {
    let mut component = json!({
        "type": "library",
        "bom-ref": reference(package),
        "name": package.name,
        "version": package.version,
        "scope": if package.part == Part::Linked { "required" } else { "excluded" },
        "licenses": [{ "expression": package.licence }],
    });
    if let Some(checksum) = &package.checksum {
        component["purl"] = Value::from(reference(package));
        component["hashes"] = json!([{ "alg": "SHA-256", "content": checksum }]);
    }
    if let Some(repository) = package.repository.as_deref().filter(|_| !package.is_ours()) {
        component["externalReferences"] = json!([{ "type": "vcs", "url": repository }]);
    }
    component
}

fn extra(extra: &Extra) -> Value {
    json!({
        "type": if extra.through == "ui/fonts" { "data" } else { "library" },
        "bom-ref": extra_reference(extra),
        "name": extra.name,
        "version": extra.version,
        "scope": "required",
        "licenses": [{ "expression": extra.licence }],
        "externalReferences": [{ "type": "website", "url": extra.home }],
    })
}

/// A package URL; of our own crates, which no registry has, something that cannot be mistaken for one.
fn reference(package: &Package) -> String {
    match package.checksum {
        Some(_) => format!("pkg:cargo/{}@{}", package.name, package.version.replace('+', "%2B")),
        None => format!("frontdesk/{}@{}", package.name, package.version),
    }
}

fn extra_reference(extra: &Extra) -> String {
    format!("{}@{}", extra.name.to_lowercase().replace(' ', "-"), extra.version)
}

/// A UUID (version 8, RFC 9562) made of what the bill says, by FNV-1a twice.
fn serial(text: &str) -> String {
    let hash = |start: u64| {
        text.bytes().fold(start, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
    };
    let (high, low) = (hash(0xcbf2_9ce4_8422_2325), hash(0x9e37_79b9_7f4a_7c15));
    let high = (high & !0xf000) | 0x8000;
    let low = (low & !(0b11 << 62)) | (0b10 << 62);
    format!(
        "urn:uuid:{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
        high >> 32,
        (high >> 16) & 0xffff,
        high & 0xffff,
        low >> 48,
        low & 0xffff_ffff_ffff
    )
}
