//! What the shipped inventories and their variants ask, written down by hand from the inventories and the guide.

use crate::support::subject::Subject;

/// One inventory.
#[derive(Debug)]
pub(crate) struct Facts {
    pub(crate) inventory: &'static str,
    /// What clients call the proxy.
    pub(crate) origin: &'static str,
    /// The ODBC driver.
    pub(crate) driver: &'static str,
    /// Where the page for people without access is.
    pub(crate) no_access: &'static str,
    /// Where the Smart Rules Engine finds its web service, and the largest message it takes.
    pub(crate) endpoint: &'static str,
    pub(crate) message_size: u32,
    /// The value of `ConversationBridgeURL`: it depends on the version of the product.
    pub(crate) bridge: &'static str,
    pub(crate) frame: Option<&'static str>,
    /// The name of the client certificate, and what broker and certificates are configured with.
    pub(crate) common_name: Option<&'static str>,
    pub(crate) log_level: &'static str,
    pub(crate) depth: u8,
}

const NATIVE: &str = "SQL Server Native Client 11.0";
const LOCAL_PAGE: &str = "http://127.0.0.1/EyeQueue/NoAccessPage";
const PROD: Facts = Facts {
    inventory: "prod",
    origin: "https://callback.acme.example",
    driver: NATIVE,
    no_access: LOCAL_PAGE,
    endpoint: "https://callback.acme.example/VHQWatchWS/VHQWatchWS.asmx",
    message_size: 10_485_760,
    bridge: "/launchpad",
    frame: Some("SAMEORIGIN"),
    common_name: Some("callback-mq"),
    log_level: "info",
    depth: 2,
};

const ALL: &[Facts] = &[
    PROD,
    Facts {
        inventory: "prod-8443",
        origin: "https://callback-with-a-first-label-as-long-as-a-label-may-be-in-a-name.acme.example:8443",
        endpoint: "https://callback-with-a-first-label-as-long-as-a-label-may-be-in-a-name.acme.example:8443/VHQWatchWS/VHQWatchWS.asmx",
        ..PROD
    },
    Facts {
        inventory: "lab",
        origin: "https://lab.acme.example:8080",
        endpoint: "https://lab.acme.example:8080/VHQWatchWS/VHQWatchWS.asmx",
        bridge: "https://lab.acme.example:8080/launchpad",
        frame: None,
        ..PROD
    },
    Facts {
        inventory: "lab-443",
        origin: "https://lab.acme.example",
        endpoint: "https://lab.acme.example/VHQWatchWS/VHQWatchWS.asmx",
        bridge: "https://lab.acme.example/launchpad",
        frame: None,
        ..PROD
    },
    Facts {
        inventory: "branch",
        origin: "https://callback.branch.acme.example",
        endpoint: "https://callback.branch.acme.example/VHQWatchWS/VHQWatchWS.asmx",
        frame: None,
        ..PROD
    },
    Facts {
        inventory: "plant",
        origin: "https://callback.plant.acme.example",
        driver: "ODBC Driver 17 for SQL Server",
        no_access: "https://callback.plant.acme.example/EyeQueue/NoAccessPage",
        endpoint: "https://callback.plant.acme.example/VHQWatchWS/VHQWatchWS.asmx",
        message_size: 20_971_520,
        frame: Some("DENY"),
        common_name: None,
        log_level: "warning",
        depth: 3,
        ..PROD
    },
];

/// The facts of the inventory a text was made from.
#[track_caller]
pub(crate) fn facts(subject: &Subject) -> &'static Facts {
    let known = ALL.iter().find(|facts| facts.inventory == subject.built.name);
    known.unwrap_or_else(|| panic!("write down what the inventory {} asks", subject.built.name))
}

/// The folder of the broker's certificates on a server.
pub(crate) fn certificates(subject: &Subject) -> &'static str {
    match subject.server() {
        "CORE02" => r"D:\certs\rabbitmq",
        "PLANT-CB2" => r"E:\certs\rabbitmq",
        _ => r"C:\certs\rabbitmq",
    }
}

/// The address of the web service VHQMWS for a server: its own one, or the one behind its proxy.
pub(crate) fn vhqmws(subject: &Subject) -> String {
    let origin = match subject.server() {
        "CORE01" | "CORE02" | "BR-CORE" => facts(subject).origin,
        "PLANT-CORE3" => "https://callback-dmz.plant.acme.example",
        _ => "http://127.0.0.1",
    };
    format!("{origin}/VHQMWS/VHQMWS.asmx")
}
