//! The one table of diagnostic codes.
//!
//! A code is never reused, and after a release never removed. Each has a page `docs/errors/CBxxxx.md` (shown by `cbgen explain`), a test that
//! produces it under `tests/errors/`, and a line in `docs/errors/README.md`; a tidy test compares all of them.
//!
//! Ranges: 00 input files · 01 YAML · 02 schema · 03 cross-checks that refuse · 04 cross-checks that warn ·
//! 05 templates · 06 rendering, escaping, parse-back · 07 bundle and output · 08 command line · 09 review · 10 edits ·
//! 11 the bundle at the server · 12 change window.

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// The run fails.
    Error,
    /// The run succeeds; the finding is printed and goes into the runbook.
    Warning,
}

impl Severity {
    /// The word used in every output format.
    pub fn word(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}

/// What an error with a code says about the run: whether cbgen did its work and found something, or could not do it. The
/// command line makes its exit status of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Meaning {
    /// The work was done, and something was found.
    Finding,
    /// An input gave no text. That is a finding where the input is what was asked about, and a failure where it is one of
    /// two sides to compare.
    NoText,
    /// The work could not be done.
    Failure,
}

/// A stable diagnostic code. Codes are told apart, and ordered, by their ids.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Code {
    id: &'static str,
    severity: Severity,
    meaning: Meaning,
    title: &'static str,
}

impl Code {
    /// The code as printed, for example `CB0201`.
    pub fn id(self) -> &'static str {
        self.id
    }

    /// Default severity.
    pub fn severity(self) -> Severity {
        self.severity
    }

    /// What an error with this code says about the run.
    pub fn meaning(self) -> Meaning {
        self.meaning
    }

    /// One line that says it, used in tables and SARIF rules.
    pub fn title(self) -> &'static str {
        self.title
    }
}

macro_rules! codes {
    ($($name:ident = $id:literal, $severity:ident, $meaning:ident, $title:literal;)*) => {
        $(
            #[doc = $title]
            pub const $name: Code = Code {
                id: $id,
                severity: Severity::$severity,
                meaning: Meaning::$meaning,
                title: $title,
            };
        )*

        /// Every code, in order.
        pub const ALL: &[Code] = &[$($name),*];
    };
}

codes! {
    // 00 input files
    UNREADABLE_FILE = "CB0001", Error, Failure, "an input file cannot be read";
    INPUT_IS_FOLDER = "CB0002", Error, Failure, "an input is a folder";
    INPUT_TOO_LARGE = "CB0003", Error, NoText, "an input file is too large";
    INPUT_EMPTY = "CB0004", Error, Finding, "an inventory file is empty";
    NOT_UTF8 = "CB0005", Error, NoText, "a file is not UTF-8";
    UTF16_INPUT = "CB0006", Error, NoText, "a file is UTF-16 or UTF-32, not UTF-8";
    BINARY_INPUT = "CB0007", Error, NoText, "a file is binary, not text";
    FORBIDDEN_CHARACTER = "CB0008", Error, Finding, "a character that nobody can see or every program reads differently";
    EXTENDS_FORM = "CB0009", Error, Finding, "`extends` does not name a file inside the workspace";
    EXTENDS_CYCLE = "CB0010", Error, Finding, "inventory files extend each other in a circle";
    EXTENDS_LIMIT = "CB0011", Error, Finding, "too many inventory files extend each other";
    PATTERN_WITHOUT_FILES = "CB0013", Error, Failure, "a pattern fits no file";
    TOOL_UNUSABLE = "CB0014", Error, Finding, "the program of a bundle cannot be used";
    TEMPLATE_BOUND = "CB0015", Error, Finding, "a template does more than it may";
    TEMPLATE_UNBOUNDED = "CB0016", Error, Finding, "a template uses what has no bound";
    RUN_BOUND = "CB0017", Error, Finding, "an inventory becomes more than a bundle may be";
    VALUE_TOO_LONG = "CB0018", Error, Finding, "a key or a value is longer than anybody writes";

    // 01 YAML
    YAML_SYNTAX = "CB0101", Error, Finding, "YAML syntax error";
    DUPLICATE_KEY = "CB0102", Error, Finding, "a key is written twice";
    YAML_TAG = "CB0103", Error, Finding, "YAML tags are not supported";
    YAML_MERGE_KEY = "CB0104", Error, Finding, "YAML merge keys are not supported";
    SECOND_DOCUMENT = "CB0105", Error, Finding, "a file holds more than one YAML document";
    YAML_TOO_DEEP = "CB0106", Error, Finding, "YAML is nested too deeply";
    YAML_ALIAS = "CB0107", Error, Finding, "a YAML alias does not lead to a finished anchor";
    YAML_ALIAS_BOMB = "CB0108", Error, Finding, "a file holds too many values, usually by aliases of aliases";
    YAML_TAB = "CB0109", Error, Finding, "a tab where YAML needs blanks";
    AMBIGUOUS_SCALAR = "CB0110", Error, Finding, "a plain value that YAML readers understand differently";
    KEY_NOT_TEXT = "CB0111", Error, Finding, "a key is not plain text";
    NOT_A_MAPPING = "CB0112", Error, Finding, "an inventory file is not a mapping";

    // 02 schema
    UNKNOWN_KEY = "CB0201", Error, Finding, "unknown key";
    MISSING_KEY = "CB0202", Error, Finding, "a required key is missing";
    WRONG_TYPE = "CB0203", Error, Finding, "a value has the wrong type";
    NOT_A_CHOICE = "CB0204", Error, Finding, "a value is not one of the possible ones";
    OUT_OF_RANGE = "CB0205", Error, Finding, "a number is out of range";
    WRONG_LENGTH = "CB0206", Error, Finding, "a text or list is too short or too long";
    WRONG_FORM = "CB0207", Error, Finding, "a text does not have the required form";
    REPEATED_ITEM = "CB0208", Error, Finding, "a list holds the same item twice";
    LITERAL_SECRET = "CB0209", Error, Finding, "a password is written into the inventory";
    PRODUCT_TOO_OLD = "CB0210", Error, Finding, "the product is older than 9.2.0";
    CBGEN_VERSION = "CB0211", Error, Finding, "the inventory asks for another version of cbgen";
    UNSAFE_WINDOWS_PATH = "CB0212", Error, Finding, "a Windows path that no file can carry safely";
    INVENTORY_FORMAT = "CB0213", Error, Finding, "the inventory format is not supported";
    INVENTORY_REFUSED = "CB0214", Error, Finding, "the inventory cannot be read as typed data";
    TOO_MANY_FINDINGS = "CB0215", Error, Finding, "too many mistakes to report them all";

    // 03 cross-checks that refuse
    DUPLICATE_SERVER_NAME = "CB0301", Error, Finding, "two servers have the same name";
    DUPLICATE_SERVER_FQDN = "CB0302", Error, Finding, "two servers have the same fqdn";
    NO_MANAGEMENT_SERVER = "CB0303", Error, Finding, "no server has the role management";
    NO_CORE_SERVER = "CB0304", Error, Finding, "no server has the role core";
    WINDOW_ENDS_EARLY = "CB0305", Error, Finding, "the change window does not end after its start";
    TLS12_MISSING = "CB0307", Error, Finding, "the proxy does not offer TLS 1.2";
    TLS_PROTOCOL_TWICE = "CB0308", Error, Finding, "a TLS version is listed twice";
    WINDOWS_NOT_FOR_SQL = "CB0310", Error, Finding, "a Windows release does not go with the SQL Server release";
    DOTNET_NOT_FOR_SQL = "CB0311", Error, Finding, "a .NET version does not go with SQL Server or Windows";
    RABBITMQ_NOT_FOR_PRODUCT = "CB0312", Error, Finding, "the RabbitMQ procedure does not cover this product version";
    RABBITMQ_WITHOUT_HA = "CB0313", Error, Finding, "the RabbitMQ procedure needs high availability";
    RABBITMQ_WITH_AGENT_PRIORITY = "CB0314", Error, Finding, "the RabbitMQ procedure excludes Agent Priority";
    CORE_MONITOR_FOLDER_MISSING = "CB0315", Error, Finding, "the folder of Core Monitor is missing";
    PROXY_AMBIGUOUS = "CB0320", Error, Finding, "it is unclear which proxy a Core server uses";
    PROXY_UNKNOWN = "CB0321", Error, Finding, "a Core server names an unknown proxy";
    PROXY_WITHOUT_NGINX = "CB0322", Error, Finding, "the proxy name belongs to a server without a proxy";
    DUPLICATE_ALIAS = "CB0323", Error, Finding, "an alias of the proxy is listed twice";
    PROXY_URL_DEAD = "CB0324", Error, Finding, "an address names a port of the proxy where nothing listens";
    PROXY_ON_PORT_80 = "CB0330", Error, Finding, "the proxy cannot listen on port 80";
    PROXY_LOOP = "CB0331", Error, Finding, "the proxy would forward requests to itself";
    PORT_TAKEN = "CB0332", Error, Finding, "two programs of one server would listen on one port";
    ERLANG_PORTS_TOO_FEW = "CB0333", Error, Finding, "the Erlang port range has fewer than 1000 ports";
    ERLANG_PORTS_TOO_HIGH = "CB0334", Error, Finding, "the Erlang port range ends above 65535";
    ERLANG_PORTS_COVER_FIXED = "CB0335", Error, Finding, "the Erlang port range covers a fixed port";
    RABBITMQ_PLAIN_PORT = "CB0336", Error, Finding, "the TLS port of RabbitMQ is its port of clear text";
    OLE_WITHOUT_ODBC = "CB0340", Error, Finding, "OLE DB access needs ODBC access beside it";
    OLE_SECTION_MISSING = "CB0341", Error, Finding, "OLE DB access is not described";
    OLE_SECTION_UNUSED = "CB0342", Error, Finding, "OLE DB is described but not used";
    DRIVER_IS_PROVIDER = "CB0343", Error, Finding, "an OLE DB provider name stands where an ODBC driver name belongs";
    PROVIDER_IS_DRIVER = "CB0344", Error, Finding, "an ODBC driver name stands where an OLE DB provider name belongs";
    SQL_LOGIN_INCOMPLETE = "CB0345", Error, Finding, "a SQL login lacks its user or password";
    SQL_LOGIN_UNUSED = "CB0346", Error, Finding, "Windows authentication has a SQL login";
    DRIVER_WITHOUT_TLS12 = "CB0347", Error, Finding, "a database driver cannot use TLS 1.2";
    LOGIN_NAME_TWICE = "CB0350", Error, Finding, "a certificate login has both a common name and a subject";
    LOGIN_NAME_MISSING = "CB0351", Error, Finding, "a certificate login has neither a common name nor a subject";
    SUBJECT_INVALID = "CB0352", Error, Finding, "a certificate subject is not in the form RabbitMQ compares";
    SUBJECT_WITH_COMMON_NAME = "CB0353", Error, Finding, "a certificate subject has a Common Name";
    UPSTREAM_UNKNOWN = "CB0354", Error, Finding, "a federation upstream names an unknown server";
    UPSTREAM_IS_SELF = "CB0355", Error, Finding, "a federation upstream leads back to its own server";
    DUPLICATE_UPSTREAM = "CB0356", Error, Finding, "two upstreams of a server have the same name";
    NAME_LIKE_OPTION = "CB0357", Error, Finding, "a name would be taken for a command line option";
    CERTIFICATE_LACKS_NAME = "CB0358", Error, Finding, "a broker certificate lacks the name that clients check";
    UPSTREAM_VALUE_INVALID = "CB0359", Error, Finding, "a kept upstream value has the wrong type";
    UNSAFE_VALUE = "CB0360", Error, Finding, "a value cannot be written safely";
    SERVER_RABBITMQ_UNUSED = "CB0361", Error, Finding, "a server describes RabbitMQ but the installation does not";
    LOGIN_FORMS_MIXED = "CB0362", Error, Finding, "a broker would meet certificates with and without a common name";
    ADDRESS_INVALID = "CB0363", Error, Finding, "an address of the Callback servers is none";

    // 04 cross-checks that warn
    NAME_DIFFERS_FROM_FQDN = "CB0401", Warning, Finding, "a server name differs from the first label of its fqdn";
    ALIAS_REDUNDANT = "CB0402", Warning, Finding, "an alias repeats a name that is allowed anyway";
    PROXY_UNUSED = "CB0403", Warning, Finding, "a server without the role core names a proxy";
    SELF_SIGNED_IN_PRODUCTION = "CB0404", Warning, Finding, "a self-signed certificate is meant for tests only";
    SELF_SIGNED_SEVERAL = "CB0405", Warning, Finding, "several Management servers have self-signed certificates";
    PFX_IN_PROXY_FOLDER = "CB0406", Warning, Finding, "the exported certificate lies in the proxy folder";
    BALANCER_UNDESCRIBED = "CB0407", Warning, Finding, "several Management servers share a name, and nothing is said about what leads to them";
    PROBE_AT_CLOSED_PORT = "CB0408", Warning, Finding, "a balancer asks a port where the proxy does not listen";
    FILE_OF_ANOTHER_KIND = "CB0409", Warning, Finding, "a path is called like a file of another kind";
    WINDOWS_FOR_SQL_2017 = "CB0410", Warning, Finding, "the guide names no existing Windows release for SQL Server 2017";
    COMPATIBILITY_MATRIX = "CB0411", Warning, Finding, "SQL Server 2012 needs a look at the vendor's compatibility matrix";
    HA_WITHOUT_RABBITMQ = "CB0412", Warning, Finding, "a high availability installation leaves RabbitMQ unsecured";
    HA_WITH_ONE_SERVER = "CB0413", Warning, Finding, "a high availability installation has one server";
    RABBITMQ_VERSION_UNPROVEN = "CB0414", Warning, Finding, "the RabbitMQ rules are written for version 3.8";
    WINDOW_TOO_SHORT = "CB0415", Warning, Finding, "the steps do not fit the change window";
    WINDOW_WITHOUT_RESERVE = "CB0416", Warning, Finding, "the steps leave less than an hour of the change window";
    NO_TIME_TO_GO_BACK = "CB0417", Warning, Finding, "there is no time left to go back at the end of the change window";
    WINDOW_OVER_A_DAY = "CB0418", Warning, Finding, "a change window lasts longer than a day";
    WINDOW_OFFSET_ODD = "CB0419", Warning, Finding, "a change window has an offset that no time zone has";
    PLAIN_HTTP_LISTENER = "CB0420", Warning, Finding, "the proxy has a plain HTTP listener";
    CONFIG_SLASH_ASSUMED = "CB0421", Warning, Finding, "it is unknown whether Configuration Management needs a trailing slash";
    WEBSOCKET_PORT_UNKNOWN = "CB0422", Warning, Finding, "the WebSocket port of the statistics service is not documented";
    LOCAL_APIS_REACHABLE = "CB0423", Warning, Finding, "nothing closes the unencrypted service ports";
    ERLANG_PORTS_EPHEMERAL = "CB0424", Warning, Finding, "the Erlang port range lies in the dynamic range of Windows";
    SMTP_DIRECTION = "CB0425", Warning, Finding, "port 25 is treated as outbound";
    FRAMES_BLOCKED = "CB0426", Warning, Finding, "X-Frame-Options may block the product's own frames";
    TLS13_NEEDS_NGINX = "CB0427", Warning, Finding, "TLS 1.3 depends on the nginx of the vendor package";
    FIREWALL_WITHOUT_ERLANG_PORTS = "CB0428", Warning, Finding, "the firewall scripts cannot open the Erlang ports";
    DRIVER_NAME_UNKNOWN = "CB0430", Warning, Finding, "a database driver name is unknown";
    NATIVE_CLIENT_DEPRECATED = "CB0431", Warning, Finding, "SQL Server Native Client is deprecated";
    ENCRYPT_BY_DEFAULT = "CB0432", Warning, Finding, "the database driver encrypts and validates by default";
    SQL_USER_SA = "CB0433", Warning, Finding, "Callback logs in as the administrator of SQL Server";
    LEGACY_PROTOCOLS_OFF = "CB0434", Warning, Finding, "switching old protocols off may cut off SQL Server";
    SQL_NAMES_ASSUMED = "CB0435", Warning, Finding, "table and column names are assumed";
    REGISTRY_TYPE_ASSUMED = "CB0440", Warning, Finding, "the type of a registry value is assumed";
    NO_ACCESS_PAGE_LOCAL = "CB0441", Warning, Finding, "the page linked in e-mails is only reachable on the server";
    SMART_RULES_FOLDER_ASSUMED = "CB0442", Warning, Finding, "the folder of the Smart Rules Engine is assumed";
    SMART_RULES_SIZE_SHRINKS = "CB0443", Warning, Finding, "the largest message of the Smart Rules Engine shrinks";
    LOCALHOST_ADDRESS = "CB0444", Warning, Finding, "an address uses localhost instead of 127.0.0.1";
    HOST_NEARLY_KNOWN = "CB0445", Warning, Finding, "a host is nearly a name of the installation";
    ADMINISTRATOR_TAG = "CB0450", Warning, Finding, "certificate users become RabbitMQ administrators";
    DEBUG_LOG = "CB0451", Warning, Finding, "RabbitMQ logs every connection in detail";
    MANAGEMENT_PLUGIN_OFF = "CB0452", Warning, Finding, "components that use the management plugin lose it";
    CERTIFICATE_NAMES_UNKNOWN = "CB0453", Warning, Finding, "the names in broker certificates cannot be checked";
    CERTIFICATE_LACKS_FQDN = "CB0454", Warning, Finding, "a broker certificate lacks the fqdn of its server";
    SERVER_WITHOUT_UPSTREAMS = "CB0455", Warning, Finding, "a broker has no federation upstream";
    CERTIFICATE_FOLDER_ENCODED = "CB0456", Warning, Finding, "the certificate folder needs percent signs in a script";
    OVERRIDE_UNUSED = "CB0457", Warning, Finding, "an override has no effect";
    OLDER_SUITE = "CB0458", Warning, Finding, "an old Windows release needs a TLS suite without authenticated encryption";
    PROXY_GIVES_UP = "CB0459", Warning, Finding, "the proxy gives up before its clients do";
    READER_WITHOUT_SERVICES = "CB0460", Warning, Finding, "a server reads addresses at 127.0.0.1 without the web services";
    READERS_UNKNOWN = "CB0461", Warning, Finding, "nobody has said whether a server without the web services reads their addresses";
    ACCEPTANCE_UNUSED = "CB0490", Warning, Finding, "an accepted warning is not there";
    ACCEPTANCE_EXPIRED = "CB0491", Warning, Finding, "an acceptance is past its date";
    LAYER_IDLE = "CB0493", Warning, Finding, "a layer has no effect";
    VALUE_REPLACED = "CB0494", Warning, Finding, "a value is replaced";
    EQUAL_TO_DEFAULT = "CB0495", Warning, Finding, "a key is equal to its default";
    CUT_BY_COMMENT = "CB0496", Warning, Finding, "a comment cuts what looks like a part of a value";

    // 05 templates
    TEMPLATE_SYNTAX = "CB0501", Error, Finding, "a template has a syntax error";
    FRONT_MATTER = "CB0502", Error, Finding, "the front matter of a template is wrong";
    UNKNOWN_VARIABLE = "CB0503", Error, Finding, "a template reads a variable that does not exist";
    UNUSED_VARIABLE = "CB0504", Error, Finding, "a template sets a variable and never uses it";
    UNKNOWN_REQUIREMENT = "CB0505", Error, Finding, "a template names a requirement that is not in the catalogue";
    UNSAFE_PATH = "CB0506", Error, Finding, "a template makes a path that is not safe in a bundle";
    TEMPLATE_COLLISION = "CB0507", Error, Finding, "two templates make the same path";
    MISSING_ARTIFACT = "CB0508", Error, Finding, "a template names an artifact that is not made";
    SECRET_IN_TEMPLATE = "CB0509", Error, Finding, "a template holds what looks like a secret";
    MISFIT = "CB0510", Error, Finding, "effect, format, extension and target of a template do not fit";
    FOREIGN_FILTER = "CB0511", Error, Finding, "a template quotes with a filter of another format";

    MINUTES_MISSING = "CB0520", Error, Finding, "a step by hand does not say how long it takes";
    BREAKS_TOO_EARLY = "CB0521", Error, Finding, "a step breaks a function before its users are led elsewhere";
    NEVER_RESTORED = "CB0522", Error, Finding, "a function is broken and never restored";

    // 06 rendering, escaping, parse-back
    RENDER_FAILED = "CB0601", Error, Finding, "a template could not be rendered";
    REFUSED_VALUE = "CB0602", Error, Finding, "a value cannot be written safely into a format";
    PARSE_BACK_FAILED = "CB0603", Error, Finding, "a generated text is not valid in its format";
    SECRET_IN_INVENTORY = "CB0604", Error, Finding, "an inventory holds what looks like a secret";
    SECRET_IN_OUTPUT = "CB0605", Error, Finding, "a generated text holds what looks like a secret";

    // 07 bundle and output
    OUTPUT_FAILED = "CB0701", Error, Failure, "the output could not be written";
    PATH_COLLISION = "CB0702", Error, Finding, "two artifacts need one path";
    NOT_ENCODABLE = "CB0703", Error, Finding, "a text cannot be written in its deployed encoding";
    FOREIGN_IN_THE_WAY = "CB0704", Error, Finding, "a file cbgen did not make is in the way";
    OUTPUT_BUSY = "CB0705", Error, Failure, "another cbgen writes the same bundle";
    OUTPUT_DIFFERS = "CB0706", Error, Finding, "the output is not what the inventory compiles to";
    EDITED_OUTPUT = "CB0707", Warning, Finding, "a generated file was edited by hand";
    BAD_ARCHIVE = "CB0708", Error, Finding, "an archive is damaged or not a bundle";
    BAD_MANIFEST = "CB0709", Error, Finding, "a manifest cannot be read";
    ARCHIVE_TAKEN = "CB0710", Error, Finding, "the archive name belongs to another bundle";
    HIDDEN_NAME_TAKEN = "CB0711", Error, Failure, "something else stands where cbgen keeps a file of its own";
    KEPT_BESIDE = "CB0712", Warning, Finding, "files of an interrupted build were kept beside the tree";

    // 08 command line
    SAME_BUNDLE = "CB0802", Error, Finding, "two inventories of one build have the same bundle name";
    FILE_EXISTS = "CB0803", Error, Failure, "a file that would be written exists already";
    UNKNOWN_CODE = "CB0804", Error, Failure, "no diagnostic has this code";
    NO_INVENTORY_NAMED = "CB0805", Error, Failure, "no inventory is named";
    UNKNOWN_INVENTORY_KEY = "CB0806", Error, Finding, "an inventory has no such key";
    MADE_WITH_OTHER_FILES = "CB0807", Error, Finding, "a bundle was made from files that are not read now";

    // 09 review
    SIDE_UNREADABLE = "CB0901", Error, Finding, "a side of a comparison cannot be read";
    GIT_FAILED = "CB0902", Error, Finding, "git cannot give a revision";
    SAME_SIDE = "CB0903", Error, Finding, "a thing is compared with itself";
    NOTHING_TO_COMPARE = "CB0904", Error, Finding, "there is nothing to compare";
    CHANGED_AFTER_BUILD = "CB0905", Warning, Finding, "a file of a bundle is not what its manifest says";
    SIDE_HOLDS_NAME_TWICE = "CB0906", Error, Finding, "two bundles of one side have the same name";
    INVENTORY_UNCLEAR = "CB0950", Error, Finding, "it is unclear which inventory made a file";
    NOT_AN_OUTPUT_LINE = "CB0951", Error, Finding, "a line is not part of what an inventory compiles to";
    STALE_OUTPUT = "CB0952", Warning, Finding, "a file is not what its inventory compiles to now";
    NOT_AN_INVENTORY_LINE = "CB0953", Error, Finding, "a line is not part of an inventory";

    // 10 edits of vendor files
    BAD_EDIT = "CB1001", Error, Finding, "edits are not what their format allows";
    BAD_VENDOR_FILE = "CB1002", Error, Finding, "a vendor's file is not what its own reader takes";
    VENDOR_FILE_ENCODING = "CB1003", Error, Finding, "a vendor's file has an encoding that its reader does not take";
    EDIT_MISSES = "CB1004", Error, Finding, "what an edit is about is not there";
    EDIT_AMBIGUOUS = "CB1005", Error, Finding, "what an edit is about is there more than once";
    EDIT_UNSUITABLE = "CB1006", Error, Finding, "a place is not as an edit needs it";
    EDIT_UNWRITABLE = "CB1007", Error, Finding, "a value cannot be written at its place";
    EDIT_LIMIT = "CB1008", Error, Finding, "a vendor's file is larger or deeper than is edited";
    EDIT_FORMAT_UNKNOWN = "CB1009", Error, Finding, "it is unclear which format edits have";
    EDIT_LEFT_ALONE = "CB1010", Warning, Finding, "something in a vendor's file was left for a person";

    // 11 the bundle at the server
    BUNDLE_UNREADABLE = "CB1101", Error, Failure, "a bundle cannot be opened";
    BUNDLE_NO_ARCHIVE = "CB1102", Error, Finding, "an archive is damaged or no archive";
    BUNDLE_TWO_FACES = "CB1103", Error, Finding, "an archive shows different programs different things";
    BUNDLE_UNSAFE_NAME = "CB1104", Error, Finding, "a bundle holds a name that is not safe";
    BUNDLE_NAME_TWICE = "CB1105", Error, Finding, "a bundle holds a name twice";
    BUNDLE_SPECIAL_FILE = "CB1106", Error, Finding, "a bundle holds a link or another special file";
    BUNDLE_TOO_LARGE = "CB1107", Error, Finding, "a bundle unpacks to more than it may";
    BUNDLE_ENCRYPTED = "CB1108", Error, Finding, "an archive is encrypted";
    BUNDLE_COMPRESSION = "CB1109", Error, Finding, "an archive is compressed in a way Windows cannot unpack";
    BUNDLE_DAMAGED_ENTRY = "CB1110", Error, Finding, "a file of an archive cannot be unpacked";
    BUNDLE_BAD_LIST = "CB1111", Error, Finding, "the list of digests is missing or wrong";
    BUNDLE_MISSING_FILE = "CB1112", Error, Finding, "a file of a bundle is missing";
    BUNDLE_EXTRA_FILE = "CB1113", Error, Finding, "a file is not part of the bundle it lies in";
    BUNDLE_CHANGED_FILE = "CB1114", Error, Finding, "a file of a bundle was changed after the build";
    MANIFEST_AGAINST_LIST = "CB1115", Error, Finding, "manifest and list of digests say different things";
    BUNDLE_WRONG_ID = "CB1116", Error, Finding, "the id of a bundle is not the one of its artifacts";
    BUNDLE_REVIEW_FORM = "CB1117", Error, Finding, "review texts stand in the place of deployed bytes";
    DIGEST_BESIDE_DIFFERS = "CB1118", Warning, Finding, "the digest beside an archive is not its digest";
    BUNDLE_UNSIGNED = "CB1120", Error, Finding, "a bundle is not signed";
    SIGNATURE_MALFORMED = "CB1121", Error, Finding, "a signature cannot be read or is for something else";
    SIGNATURE_WRONG = "CB1122", Error, Finding, "a signature does not fit its bundle";
    SIGNER_UNKNOWN = "CB1123", Error, Finding, "nobody vouches for the key of a signature";
    SIGNATURE_WEAK = "CB1124", Error, Finding, "a signature uses a key or method that is not accepted";
    SIGNERS_MALFORMED = "CB1126", Error, Finding, "a line of the file of signers cannot be used";
    KEY_UNREADABLE = "CB1127", Error, Failure, "a private key cannot be read";
    KEY_LOCKED = "CB1128", Error, Failure, "a private key needs its passphrase";
    KEY_UNSUITED = "CB1129", Error, Failure, "a private key is not used for bundles";
    SIGNED_BY_ANOTHER = "CB1130", Error, Finding, "a bundle is signed by another key already";
    SIGNATURE_DROPPED = "CB1131", Warning, Finding, "a signed archive is replaced by one that is not signed";

    // 12 change window
    PLACE_UNKNOWN = "CB1201", Error, Finding, "a bundle does not know this server";
    OTHER_SERVER = "CB1202", Error, Finding, "this computer is not the server of the change";
    RUNBOOK_UNUSABLE = "CB1203", Error, Finding, "a bundle has no runbook that can be carried out";
    NOT_A_SERVER = "CB1204", Error, Finding, "this machine has no Windows paths";
    NOT_ELEVATED = "CB1205", Error, Finding, "administrator rights are missing";
    UNKNOWN_STEP = "CB1206", Error, Finding, "an option names a step that is not there";
    NOT_ENOUGH_SPACE = "CB1207", Error, Finding, "a drive has too little room for the change";
    TARGET_MISSING = "CB1210", Error, Finding, "a file or folder that a step changes is not there";
    EDIT_IMPOSSIBLE = "CB1211", Error, Finding, "an edit cannot be done in the file that is there";
    TARGET_HELD = "CB1212", Error, Finding, "another program holds a file that a step changes";
    TARGET_DENIED = "CB1213", Error, Finding, "this account may not change a file";
    TARGET_BEHIND_LINK = "CB1214", Error, Finding, "a file lies behind a link or junction";
    TARGET_NO_FILE = "CB1215", Error, Finding, "something else than a file stands in the way";
    TARGET_PATH = "CB1216", Error, Finding, "a path is too long or not plain";
    TARGET_UNREADABLE = "CB1217", Error, Finding, "a file of the server cannot be read";
    TOOL_MISSING = "CB1218", Error, Finding, "a program that a step runs is not there";
    SERVICE_MISSING = "CB1219", Warning, Finding, "a service that has to be restarted is not known by this name";
    ARTIFACT_UNUSABLE = "CB1220", Error, Finding, "a file of the bundle cannot be used";
    COPY_RUNS_NOTHING = "CB1221", Error, Finding, "a script would change this machine, not the copy of a server";
    NOTHING_FOUND = "CB1222", Warning, Finding, "a file holds nothing of what a step looks for";
    SERVER_MOVED = "CB1230", Error, Finding, "the server is not what it was when it was planned";
    PLAN_UNREADABLE = "CB1231", Error, Finding, "a plan cannot be read";
    SERVER_BUSY = "CB1240", Error, Finding, "another cbgen works on this server";
    JOURNAL_DAMAGED = "CB1241", Error, Finding, "the journal of a change is damaged";
    STATE_FAILED = "CB1242", Error, Finding, "what cbgen keeps about a server cannot be read or written";
    RUN_UNFINISHED = "CB1243", Error, Finding, "a run before this one has not ended";
    STEP_FAILED = "CB1250", Error, Finding, "a step failed";
    ONE_WAY = "CB1251", Error, Finding, "a step without a way back was not accepted";
    SECRET_MISSING = "CB1253", Error, Finding, "a secret that a script needs is missing";
    ROLLBACK_INCOMPLETE = "CB1260", Error, Finding, "not everything was taken back";
    CHANGED_BY_SOMEONE = "CB1261", Error, Finding, "someone changed a file that would be taken back";
    NOTHING_KNOWN = "CB1262", Error, Finding, "nothing is known of a change on this server";
    COPY_LOST = "CB1263", Error, Finding, "a saved copy that going back needs cannot be used";
    EVIDENCE_BROKEN = "CB1270", Error, Finding, "evidence is not what was written";
}

/// The code with this id, ignoring case.
pub fn find(id: &str) -> Option<Code> {
    ALL.iter().copied().find(|code| code.id.eq_ignore_ascii_case(id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_warning_never_means_a_failure() {
        for code in ALL.iter().filter(|code| code.severity == Severity::Warning) {
            assert_eq!(code.meaning, Meaning::Finding, "{}", code.id);
        }
    }
}
