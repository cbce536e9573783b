//! What `sam package` does, for the emulator: the built functions and the templates go into a bucket, and the template
//! names them there. Nothing else in the template is changed.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::time::SystemTime;

use aws_sdk_s3::Client;
use aws_sdk_s3::config::{Builder, RequestChecksumCalculation};
use aws_sdk_s3::primitives::ByteStream;
use serde_yaml_ng::{Mapping, Value};

use super::emulator::Emulator;

/// Where the packages lie.
const BUCKET: &str = "packages";

/// Zips each file under the name `bootstrap`, and puts it where it belongs in one step, for tests run side by side.
const ZIP: &str = r#"
import os, sys, zipfile
for source, target in zip(sys.argv[1::2], sys.argv[2::2]):
    with zipfile.ZipFile(f"{target}.{os.getpid()}", "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.write(source, "bootstrap")
    os.replace(f"{target}.{os.getpid()}", target)
"#;

/// The project's folder.
pub fn project() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The built function of this name, such as `crm-sync`.
pub fn bootstrap(function: &str) -> PathBuf {
    let path = functions().join(function).join("bootstrap");
    assert!(path.exists(), "{} is missing: {BUILD}", path.display());
    path
}

const BUILD: &str = "build the functions first: `cargo lambda build --compiler cargo --workspace --bins`";

/// The folder that cargo-lambda builds into, in the folder that this test was built into.
fn functions() -> PathBuf {
    if let Some(named) = std::env::var_os("SWITCHBOARD_FUNCTIONS") {
        return named.into();
    }
    let own = std::env::current_exe().unwrap();
    let found = own.ancestors().map(|folder| folder.join("lambda")).find(|folder| folder.is_dir());
    found.unwrap_or_else(|| panic!("no folder `lambda` beside the built tests: {BUILD}"))
}

/// Says aloud when the functions were built before something that they are made of was changed.
fn say_if_outdated() {
    let built = modified(&bootstrap("conversation"));
    let sources = ["functions", "shared"].map(|folder| newest(&project().join(folder)));
    if sources.into_iter().flatten().any(|changed| Some(changed) > built) {
        eprintln!("The functions under test are older than their sources: {BUILD}");
    }
}

/// When a source file in a folder was changed last.
fn newest(folder: &Path) -> Option<SystemTime> {
    let inside = std::fs::read_dir(folder).ok()?.flatten().map(|entry| entry.path());
    let newest_of = |path: PathBuf| {
        if path.is_dir() {
            return newest(&path);
        }
        let is_source = path.extension().is_some_and(|end| end == "rs");
        is_source.then(|| modified(&path))?
    };
    inside.filter_map(newest_of).max()
}

fn modified(path: &Path) -> Option<SystemTime> {
    std::fs::metadata(path).and_then(|data| data.modified()).ok()
}

/// `CrmSync` as `crm-sync`: the functions' names in the template, and their packages'.
pub fn package_name(logical: &str) -> String {
    let mut name = String::new();
    for letter in logical.chars() {
        if letter.is_ascii_uppercase() && !name.is_empty() {
            name.push('-');
        }
        name.push(letter.to_ascii_lowercase());
    }
    name
}

/// A template whose parts are where the emulator finds them.
pub struct Package {
    /// The template's address.
    pub url: String,
    /// The functions that it has, by the names that they bear in it.
    pub functions: Vec<String>,
    /// The parameters that it has.
    pub parameters: Vec<String>,
}

/// The kinds of resources that hold something.
const STORES: [&str; 4] = ["AWS::DynamoDB::Table", "AWS::SQS::Queue", "AWS::S3::Bucket", "AWS::KMS::Key"];

impl Package {
    /// Uploads the project's template, and all that it refers to.
    pub async fn whole(emulator: &Emulator) -> Self {
        say_if_outdated();
        Self::upload(emulator, read(TEMPLATE)).await
    }

    /// Uploads what of the project's template holds something: tables, queues, the bucket. No function disturbs them.
    pub async fn stores(emulator: &Emulator) -> Self {
        let mut template = read(TEMPLATE);
        let resources = template["Resources"].as_mapping_mut().unwrap();
        resources.retain(|_, resource| STORES.iter().any(|kind| resource["Type"] == *kind));
        let kept = resources.clone();
        let outputs = template["Outputs"].as_mapping_mut().unwrap();
        outputs.retain(|_, output| refers_to(&output["Value"]).is_some_and(|name| kept.contains_key(name)));
        Self::upload(emulator, template).await
    }

    async fn upload(emulator: &Emulator, mut template: Value) -> Self {
        let shelf = Shelf::new(emulator).await;
        let functions = of_type(&template, "AWS::Serverless::Function");
        shelf.put_functions(&functions).await;
        for name in &functions {
            let place = Value::from(format!("s3://{BUCKET}/{}", package_name(name)));
            template["Resources"][name]["Properties"]["CodeUri"] = place;
        }
        for (kind, property) in
            [("AWS::CloudFormation::Stack", "TemplateURL"), ("AWS::Serverless::Application", "Location")]
        {
            for name in of_type(&template, kind) {
                let location = &mut template["Resources"][&name]["Properties"][property];
                let nested = project().join(location.as_str().unwrap());
                *location = shelf.put(&name, std::fs::read(nested).unwrap()).await.into();
            }
        }
        let parameters = keys(template.get("Parameters"));
        let url = shelf.put("template", serde_yaml_ng::to_string(&template).unwrap().into_bytes()).await;
        Self { url, functions, parameters }
    }
}

const TEMPLATE: &str = "template.yaml";

/// A template of the project.
pub fn read(template: &str) -> Value {
    let path = project().join(template);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|why| panic!("{}: {why}", path.display()));
    serde_yaml_ng::from_str(&text).unwrap()
}

/// The resource that a value is made of: `!Ref Key`, `!GetAtt Key.Arn`.
fn refers_to(value: &Value) -> Option<&str> {
    let Value::Tagged(tagged) = value else { return None };
    let plain = tagged.tag == "Ref" || tagged.tag == "GetAtt";
    tagged.value.as_str().filter(|_| plain).and_then(|path| path.split('.').next())
}

/// The names of the resources of a type.
fn of_type(template: &Value, kind: &str) -> Vec<String> {
    let resources = template["Resources"].as_mapping().unwrap();
    let those = resources.iter().filter(|(_, resource)| resource["Type"] == kind);
    those.map(|(name, _)| name.as_str().unwrap().to_owned()).collect()
}

fn keys(value: Option<&Value>) -> Vec<String> {
    let keys = value.and_then(Value::as_mapping).into_iter().flat_map(Mapping::keys);
    keys.map(|key| key.as_str().unwrap().to_owned()).collect()
}

/// The bucket.
struct Shelf {
    client: Client,
    url: String,
}

impl Shelf {
    async fn new(emulator: &Emulator) -> Self {
        let config = Builder::from(&emulator.config);
        let config = config.request_checksum_calculation(RequestChecksumCalculation::WhenRequired);
        let client = Client::from_conf(config.build());
        client.create_bucket().bucket(BUCKET).send().await.unwrap();
        Self { client, url: emulator.url.clone() }
    }

    /// Puts bytes there and returns their address.
    async fn put(&self, key: &str, bytes: Vec<u8>) -> String {
        let put = self.client.put_object().bucket(BUCKET).key(key).body(ByteStream::from(bytes));
        // Sums over all of it, in an unoptimised build, would take longer than everything else.
        put.customize().disable_payload_signing().send().await.unwrap();
        format!("{}/{BUCKET}/{key}", self.url)
    }

    async fn put_functions(&self, functions: &[String]) {
        let packages: Vec<String> = functions.iter().map(|name| package_name(name)).collect();
        for (package, zip) in packages.iter().zip(zipped(&packages)) {
            self.put(package, std::fs::read(zip).unwrap()).await;
        }
    }
}

/// The zips of these functions, made anew for those that were built since.
fn zipped(packages: &[String]) -> Vec<PathBuf> {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _alone = ONE_AT_A_TIME.lock();
    let (mut zips, mut missing) = (Vec::new(), Vec::new());
    for package in packages {
        let binary = bootstrap(package);
        let zip = binary.with_file_name("stripped.zip");
        if modified(&zip) < modified(&binary) {
            missing.push((stripped(&binary), zip.clone()));
        }
        zips.push(zip);
    }
    let arguments = missing.iter().flat_map(|(binary, zip)| [binary, zip]);
    let made = Command::new("python3").arg("-c").arg(ZIP).args(arguments).output().unwrap();
    assert!(
        made.status.success(),
        "the functions cannot be zipped: {}",
        String::from_utf8_lossy(&made.stderr)
    );
    for (binary, _) in &missing {
        let _ = std::fs::remove_file(binary);
    }
    zips
}

/// The binary without what only a debugger needs, which is most of it.
fn stripped(binary: &Path) -> PathBuf {
    let bare = binary.with_file_name(format!("stripped.{}", std::process::id()));
    let done = Command::new("strip").arg("-o").arg(&bare).arg(binary).output();
    if !done.is_ok_and(|output| output.status.success()) {
        std::fs::copy(binary, &bare).unwrap();
    }
    bare
}

#[test]
fn names_in_the_template_are_names_of_packages() {
    assert_eq!(package_name("CrmSync"), "crm-sync");
    assert_eq!(package_name("Agent"), "agent");
}
