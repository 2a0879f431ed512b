//! XML transforms: applied by Microsoft's library to sample files, read by the .NET configuration system, opened as a
//! WCF channel.

use std::collections::{BTreeMap, BTreeSet};

use cbgen::formats::Format;
use cbgen::formats::edits::{EditKind, Edits};
use roxmltree::{Document, Node};

use super::facts::facts;
use super::{done, expect_all, of_format, same};
use crate::harness::root;
use crate::support::mono::Tool;
use crate::support::program::write;
use crate::support::subject::{Subject, Verdict};

/// The transform with settings of every kind.
const EYEQUEUE: &str = "servers/MGMT01/config/VirtualHoldPub/EyeQueue/web.config.xdt";

/// What a document says: a path with the identity of each element, and a value.
type Said = BTreeMap<String, String>;

fn said(text: &str) -> Said {
    fn walk(node: Node<'_, '_>, path: &str, said: &mut Said) {
        for attribute in node.attributes() {
            put(said, format!("{path}@{}", attribute.name()), attribute.value());
        }
        let mut leaf = true;
        for child in node.children().filter(Node::is_element) {
            leaf = false;
            let identity = ["key", "name"].iter().find_map(|name| child.attribute(*name));
            let identity = identity.map(|value| format!("[{value}]")).unwrap_or_default();
            walk(
                child,
                &format!("{path}/{}{identity}", child.tag_name().name()),
                said,
            );
        }
        let text = node.text().unwrap_or_default();
        if leaf && (node.attributes().len() == 0 || !text.trim().is_empty()) {
            put(said, path.to_owned(), text);
        }
    }
    fn put(said: &mut Said, path: String, value: &str) {
        // An element that is there twice must not hide behind its twin.
        let mut key = path;
        while said.contains_key(&key) {
            key.push('+');
        }
        said.insert(key, value.to_owned());
    }
    let mut found = Said::new();
    let document = Document::parse(text.trim_start_matches('\u{feff}')).expect("well-formed");
    walk(document.root_element(), "", &mut found);
    found
}

/// The sample a transform is for.
fn sample(subject: &Subject) -> String {
    let mut parts = subject.path.rsplit('/');
    let (file, folder) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let name = match file {
        "web.config.xdt" | "web.config.x-frame-options.xdt" => format!("{folder}.web.config"),
        "Web.config.xdt" => format!("{folder}.Web.config"),
        other => other.trim_end_matches(".xdt").to_owned(),
    };
    let path = root().join("tests/fixtures/vendor").join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// What the guide wants to be different afterwards; nothing else may be.
fn wanted(subject: &Subject) -> Said {
    let facts = facts(subject);
    let origin = facts.origin;
    let local = |service: &str| format!("http://127.0.0.1/{service}/{service}.asmx");
    let mut wanted = Said::new();
    let mut keys = |keys: &[(&str, String)]| {
        let pairs = keys
            .iter()
            .map(|(key, value)| (format!("/appSettings/add[{key}]@value"), value.clone()));
        wanted.extend(pairs);
    };
    let file = subject.path.rsplit("/config/").next().unwrap_or_default();
    match file.trim_start_matches("VirtualHoldPub/") {
        "EyeQueue/web.config.xdt" => keys(&[
            (
                "QStatsURL",
                "http://127.0.0.1/VHQWatch/AjaxQueueStats.aspx".into(),
            ),
            (
                "ClassicLineStatusURL",
                "http://127.0.0.1/VHQWatch/AjaxLineStatus.aspx".into(),
            ),
            (
                "ModernLineStatusURL",
                "http://127.0.0.1/VHQWatch/AjaxLineSnapShot.aspx".into(),
            ),
            ("VHGlobalConfigWS.VHGlobalConfigWS", local("VHGlobalConfigWS")),
            ("VHQWatchWS.VHQWatchWS", local("VHQWatchWS")),
            ("VHQMWS.VHQMWS", local("VHQMWS")),
            ("ConversationBridgeAuthURL", format!("{origin}/auth")),
            ("ConversationBridgeURL", facts.bridge.into()),
            ("InternalConversationBridgeURL", "http://127.0.0.1/".into()),
        ]),
        "VHCallbackResponse/web.config.xdt" => keys(&[("VHQMWS.VHQMWS", local("VHQMWS"))]),
        "VHQMWS/web.config.xdt" => keys(&[
            ("VHACDWS.VHACDConfigWS", local("VHACDConfigWS")),
            ("VHGlobalWS.VHGlobalConfigWS", local("VHGlobalConfigWS")),
            ("VHSysWS.VHSysConfigWS", local("VHSysConfigWS")),
        ]),
        "VHQWatch/web.config.xdt" => keys(&[("VHQWatchWS.VHQWatchWS", local("VHQWatchWS"))]),
        _ => {}
    }
    let mut settings = |section: &str, settings: &[(&str, String)]| {
        let path =
            |name: &str| format!("/applicationSettings/{section}.Properties.Settings/setting[{name}]/value");
        wanted.extend(settings.iter().map(|(name, value)| (path(name), value.clone())));
    };
    match file.trim_start_matches("VirtualHoldPub/") {
        "EyeQueue/web.config.xdt" => {
            let services = ["VHGlobalConfigWS", "VHQMWS", "VHQWatchWS"];
            let all = services.map(|name| (format!("EyeQ_{name}_{name}"), local(name)));
            settings(
                "EyeQ",
                &all.each_ref().map(|(name, value)| (name.as_str(), value.clone())),
            );
            wanted.insert(
                "/system.serviceModel/client/endpoint[VHQMWSSoap]@address".into(),
                local("VHQMWS"),
            );
        }
        "EyeQueue/web.config.x-frame-options.xdt" => {
            let headers = "/system.webServer/httpProtocol/customHeaders";
            let frame = facts.frame.unwrap_or("nothing").to_owned();
            wanted.insert(
                format!("{headers}/remove[X-Frame-Options]@name"),
                "X-Frame-Options".into(),
            );
            wanted.insert(
                format!("{headers}/add[X-Frame-Options]@name"),
                "X-Frame-Options".into(),
            );
            wanted.insert(format!("{headers}/add[X-Frame-Options]@value"), frame);
        }
        "ConfigurationTranslationAPI/Web.config.xdt" => settings(
            "ConfigurationTranslationAPI",
            &[
                ("VHQMWS", local("VHQMWS")),
                ("AuthAPI", format!("{origin}/auth")),
                ("LicenseAPIUrl", format!("{origin}/mgmt")),
            ],
        ),
        "VHCallbackResponse/web.config.xdt" => {
            settings(
                "VHCallbackResponse",
                &[("VHCallbackResponse_VHQMWS_VHQMWS", local("VHQMWS"))],
            );
        }
        "VHQMWS/web.config.xdt" => settings(
            "VHQMWS",
            &[
                ("VHQMWS_VHACDWS_VHACDConfigWS", local("VHACDConfigWS")),
                ("VHQMWS_VHGlobalWS_VHGlobalConfigWS", local("VHGlobalConfigWS")),
                ("VHQMWS_VHSysWS_VHSysConfigWS", local("VHSysConfigWS")),
            ],
        ),
        "VHQWatch/web.config.xdt" => settings(
            "VHQWatch",
            &[("VHQWatch_VHQWatchWS_VHQWatchWS", local("VHQWatchWS"))],
        ),
        "VHT_ConfigurationWizard.exe.config.xdt" => {
            settings(
                "VHT_ConfigurationWizard",
                &[("VHT_ConfigurationWizard_VHQMWS_WebRef_VHQMWS", local("VHQMWS"))],
            );
        }
        "SmartRules/VHT_SmartRulesEngineService.exe.config.xdt" => {
            wanted.extend(smart_rules(facts.endpoint, facts.message_size));
        }
        other => panic!("write down what {other} is for"),
    }
    wanted
}

/// The service model of the Smart Rules Engine, as the guide prints it.
fn smart_rules(endpoint: &str, size: u32) -> Said {
    let mut all = Said::new();
    let mut put = |element: &str, attributes: &str| {
        for pair in attributes.split(' ') {
            let (name, value) = pair.split_once('=').expect("a pair");
            all.insert(format!("/system.serviceModel/{element}@{name}"), value.to_owned());
        }
    };
    for name in ["webBindingHttps", "webBinding"] {
        let binding = format!("bindings/webHttpBinding/binding[{name}]");
        put(&binding, &format!("name={name}"));
        put(&format!("{binding}/security"), "mode=Transport");
    }
    let soap = "bindings/basicHttpBinding/binding[VHQWatchWSSoap]";
    put(
        soap,
        &format!(
            "closeTimeout=00:05:00 openTimeout=00:05:00 receiveTimeout=00:25:00 sendTimeout=00:05:00 allowCookies=false \
             bypassProxyOnLocal=false hostNameComparisonMode=StrongWildcard maxBufferSize={size} maxBufferPoolSize=524288 \
             maxReceivedMessageSize={size} messageEncoding=Text textEncoding=utf-8 transferMode=Buffered useDefaultWebProxy=true"
        ),
    );
    put(
        &format!("{soap}/readerQuotas"),
        "maxDepth=32 maxStringContentLength=8192 maxArrayLength=16384 maxBytesPerRead=4096 maxNameTableCharCount=65536",
    );
    put(&format!("{soap}/security"), "mode=Transport");
    put(
        &format!("{soap}/security/transport"),
        "clientCredentialType=None proxyCredentialType=None realm=",
    );
    put(
        &format!("{soap}/security/message"),
        "clientCredentialType=UserName algorithmSuite=Default",
    );
    put("client/endpoint[VHQWatchWSSoap]", &format!("address={endpoint}"));
    all
}

/// Applies a transform once and shows what the library said.
fn apply(tool: &Tool, from: &str, to: &str) -> Result<String, String> {
    let ran = tool.run(&["apply", from, "subject.xdt", to]);
    if ran.code == 0 && ran.stdout.contains("applied: True") {
        Ok(ran.stdout)
    } else {
        Err(format!("{}{}", ran.stdout, ran.stderr))
    }
}

/// Applies a transform to a source twice: what the library says, and the result, which the second time keeps.
fn transformed(tool: &Tool, subject: &Subject, source: &str) -> Result<String, String> {
    write(&tool.path().join("subject.xdt"), subject.bytes()?);
    write(&tool.path().join("before.config"), source);
    let log = apply(tool, "before.config", "after.config")?;
    apply(tool, "after.config", "again.config")?;
    let read =
        |name: &str| std::fs::read_to_string(tool.path().join(name)).map_err(|error| error.to_string());
    let (after, again) = (read("after.config")?, read("again.config")?);
    if said(&after) != said(&again) {
        return Err("a second time changes more".to_owned());
    }
    // Taking away what is not there is fine, and only said when it is meant.
    let takes_away = subject.text.matches("xdt:Transform=\"Remove\"").count();
    let silent = log.contains(&format!("warnings: {takes_away} errors: 0"));
    if silent { Ok(after) } else { Err(log) }
}

/// The sample after the edits, as the engine of this program makes it.
fn edited(subject: &Subject, source: &str) -> Result<String, String> {
    let edits = Edits::read(EditKind::Xdt, &subject.text).map_err(|errors| format!("{errors:?}"))?;
    let edited = done(&edits, source.as_bytes())?;
    String::from_utf8(edited.bytes).map_err(|error| error.to_string())
}

/// The sample is different exactly where the guide wants it, whoever applies the transform.
pub(crate) fn document(subject: &Subject) -> Verdict {
    let tool = Tool::new(None);
    let source = sample(subject);
    let after = said(&transformed(&tool, subject, &source)?);
    if said(&edited(subject, &source)?) != after {
        return Err("the engine of cbgen makes another document".to_owned());
    }
    let before = said(&source);
    let shown = |said: &Said| {
        said.iter()
            .map(|(path, value)| format!("{path} = {value}\n"))
            .collect::<String>()
    };
    let changed: Said = after
        .iter()
        .filter(|(path, value)| before.get(*path) != Some(value))
        .map(|(path, value)| (path.clone(), value.clone()))
        .collect();
    same("changes", &shown(&changed), &shown(&wanted(subject)))?;
    let lost: Said = before
        .iter()
        .filter(|(path, _)| !after.contains_key(*path))
        .map(|(path, value)| (path.clone(), value.clone()))
        .collect();
    same("lost", &shown(&lost), "")
}

/// The .NET configuration system reads the edited file and gives the new values.
pub(crate) fn settings(subject: &Subject) -> Verdict {
    let tool = Tool::new(None);
    // What Microsoft's library makes of it is for `document` to judge; here .NET has the word on what cbgen makes.
    write(
        &tool.path().join("after.config"),
        edited(subject, &sample(subject))?,
    );
    let ran = tool.run(&["settings", "after.config"]);
    let wanted = wanted(subject);
    for (path, value) in &wanted {
        let Some(key) = path
            .strip_prefix("/appSettings/add[")
            .and_then(|rest| rest.strip_suffix("]@value"))
        else {
            continue;
        };
        if !ran.stdout.lines().any(|line| line == format!("{key}={value}")) {
            return Err(format!("{key} is not {value}: {}{}", ran.stdout, ran.stderr));
        }
    }
    if ran.code == 0 { Ok(()) } else { Err(ran.stdout) }
}

/// A WCF channel opens with the edited file.
pub(crate) fn channel(subject: &Subject) -> Verdict {
    let after = transformed(&Tool::new(None), subject, &sample(subject))?;
    let facts = facts(subject);
    let ran = Tool::new(Some(&after)).run(&["channel"]);
    let size = facts.message_size;
    let wanted = format!(
        "opened {}\nsecurity Transport sizes {size} {size}\n",
        facts.endpoint
    );
    same("the channel", &ran.stdout, &wanted)
}

fn is_smart_rules(subject: &Subject) -> bool {
    subject
        .path
        .ends_with("VHT_SmartRulesEngineService.exe.config.xdt")
}

#[test]
fn transforms_change_what_the_guide_wants_and_nothing_else() {
    expect_all(&of_format(Format::Xdt), document);
}

#[test]
fn the_configuration_system_reads_edited_files() {
    let mut all = of_format(Format::Xdt);
    all.retain(|subject| {
        wanted(subject)
            .keys()
            .any(|path| path.starts_with("/appSettings/"))
    });
    let files: BTreeSet<&str> = all
        .iter()
        .filter_map(|subject| subject.path.rsplit('/').nth(1))
        .collect();
    assert_eq!(
        Vec::from_iter(files),
        ["EyeQueue", "VHCallbackResponse", "VHQMWS", "VHQWatch"]
    );
    expect_all(&all, settings);
}

/// What a careless edit leaves behind: .NET reads none of these files.
#[test]
fn the_configuration_system_refuses_what_editors_break() {
    let good = sample(&Subject::new("prod", EYEQUEUE));
    let good = good.trim_start_matches('\u{feff}');
    let begin = good.find("<configSections>").expect("sections");
    let end = good.find("</configSections>").expect("sections") + "</configSections>".len();
    let sections = &good[begin..end];
    let moved = good
        .replace(sections, "")
        .replace("</configuration>", &format!("{sections}</configuration>"));
    let ampersand = good.replacen("value=\"", "value=\"a&b", 1);
    for (what, text, fine) in [
        ("as it is", good.to_owned(), true),
        ("a blank before the declaration", format!(" {good}"), false),
        ("a line before the declaration", format!("\r\n{good}"), false),
        ("configSections is not first", moved, false),
        ("a raw ampersand", ampersand.clone(), false),
        (
            "an escaped ampersand",
            ampersand.replacen("a&b", "a&amp;b", 1),
            true,
        ),
    ] {
        let tool = Tool::new(None);
        write(&tool.path().join("after.config"), text);
        let ran = tool.run(&["settings", "after.config"]);
        let read = ran.code == 0 && ran.stdout.contains("QStatsURL=");
        let refused = ran.code == 1 && ran.stdout.contains("ConfigurationErrorsException");
        assert_eq!(
            (read, refused),
            (fine, !fine),
            "{what}: {}{}",
            ran.stdout,
            ran.stderr
        );
    }
}

/// Outside the edited places every byte stays: the mark, the line ends, the comments, the blanks
/// between attributes. Only quotes of attributes become double ones, which the library does when it saves.
pub(crate) fn bytes_stay(subject: &Subject) -> Verdict {
    let plain = sample(subject).trim_start_matches('\u{feff}').replace('\r', "");
    let comment = "<configuration>\n  <!-- kept:   as   it is -->\n  <kept  b=\"1\"\ta=\"2\" />\n";
    let source = format!(
        "\u{feff}{}",
        plain
            .replacen("<configuration>\n", comment, 1)
            .replace('\n', "\r\n")
    );
    let tool = Tool::new(None);
    let after = transformed(&tool, subject, &source)?;
    let (before_said, wanted) = (said(&source), wanted(subject));
    let old: Vec<&str> = wanted
        .keys()
        .filter_map(|path| before_said.get(path))
        .map(String::as_str)
        .filter(|value| !value.is_empty())
        .collect();
    let new: Vec<&str> = wanted.values().map(String::as_str).collect();
    let rest = |text: &str, values: &[&str]| -> Vec<String> {
        text.split_inclusive('\n')
            .filter(|line| {
                let holds = |value: &&str| {
                    let value = value.replace('&', "&amp;");
                    line.contains(&format!("=\"{value}\"")) || line.contains(&format!(">{value}<"))
                };
                !values.iter().any(holds)
            })
            .map(|line| format!("{line:?}"))
            .collect()
    };
    same(
        "bytes outside the edited places",
        &rest(&after, &new).join("\n"),
        &rest(&source, &old).join("\n"),
    )
}

#[test]
fn bytes_outside_the_edited_places_stay() {
    let mut all = of_format(Format::Xdt);
    // Only values change in these; the service model of the Smart Rules Engine and the frame header are new elements.
    all.retain(|subject| !is_smart_rules(subject) && !subject.path.contains("x-frame-options"));
    expect_all(&all, bytes_stay);
}

#[test]
fn a_channel_opens_with_https_and_not_with_http() {
    let smart_rules: Vec<Subject> = of_format(Format::Xdt)
        .into_iter()
        .filter(is_smart_rules)
        .collect();
    expect_all(&smart_rules, channel);
    for subject in smart_rules {
        let plain = subject.text.replace("address=\"https://", "address=\"http://");
        let error = channel(&Subject {
            text: plain,
            ..subject
        })
        .expect_err("http with transport security");
        assert!(error.contains("unsupported URI scheme: http"), "{error}");
    }
}

/// The header is set once in every state the file can be in, with the inherited one taken away before it.
#[test]
fn the_frame_header_stands_once_behind_its_removal() {
    let subject = Subject::new(
        "prod",
        "servers/MGMT01/config/VirtualHoldPub/EyeQueue/web.config.x-frame-options.xdt",
    );
    let tool = Tool::new(None);
    write(
        &tool.path().join("subject.xdt"),
        subject.bytes().expect("can be deployed"),
    );
    for inside in [
        "",
        "<httpProtocol />",
        "<httpProtocol><customHeaders><add name=\"Other\" value=\"1\" /></customHeaders></httpProtocol>",
        "<httpProtocol><customHeaders><add name=\"X-Frame-Options\" value=\"DENY\" /></customHeaders></httpProtocol>",
        "<httpProtocol><customHeaders><remove name=\"X-Frame-Options\" /><add name=\"X-Frame-Options\" value=\"DENY\" /></customHeaders></httpProtocol>",
    ] {
        let before = format!("<configuration><system.webServer>{inside}</system.webServer></configuration>");
        write(&tool.path().join("before.config"), before);
        apply(&tool, "before.config", "after.config").expect("applied");
        let after = std::fs::read_to_string(tool.path().join("after.config")).expect("written");
        let document = Document::parse(&after).expect("well-formed");
        let entries = document
            .descendants()
            .filter(|node| node.attribute("name") == Some("X-Frame-Options"));
        let entries: Vec<_> = entries
            .map(|node| (node.tag_name().name(), node.attribute("value")))
            .collect();
        assert_eq!(
            entries,
            [("remove", None), ("add", Some("SAMEORIGIN"))],
            "{inside}: {after}"
        );
    }
}
