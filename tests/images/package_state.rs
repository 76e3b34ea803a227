//! What a package manager reads as configuration is out of reach of scripts and packages; packages cannot replace parts of
//! dpkg's database; no path of a build is part of a configuration file.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use kiwi_tests::machine::judge;
use kiwi_tests::program::kiwi;
use kiwi_tests::run::Run;
use kiwi_tests::web::Web;

/// A password that no script may find.
const PASSWORD: &str = "secret-of-a-repository";
/// The header with which a client sends it for the user `u`.
const AUTHORIZATION: &str = "Authorization: Basic dTpzZWNyZXQtb2YtYS1yZXBvc2l0b3J5";

/// Returns a description with these repositories and packages.
fn description(repositories: &str, package: &str) -> String {
    format!(
        r#"<image schemaversion="8.5" name="state">
  <description type="system"><author>A</author><contact>a@example.org</contact><specification>S</specification></description>
  <preferences><version>1.0.0</version><packagemanager>apt</packagemanager><type image="squashfs"/></preferences>
  {repositories}
  <packages type="image"><package name="{package}"/></packages>
</image>"#
    )
}

/// Runs a shell script in a directory.
fn shell(directory: &Path, script: &str) {
    let output = Command::new("sh").args(["-e", "-c", script]).current_dir(directory).output().unwrap();
    assert!(output.status.success(), "{script}: {}", String::from_utf8_lossy(&output.stderr));
}

/// Writes a package with these control files and files, which dpkg-deb would refuse to build.
fn craft(target: &Path, control: &[(&str, &str)], data: &[(&str, &str)]) {
    let work = tempfile::tempdir().unwrap();
    for (top, files) in [("control", control), ("data", data)] {
        fs::create_dir(work.path().join(top)).unwrap();
        for (name, text) in files {
            let path = work.path().join(top).join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, text).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        }
        shell(work.path(), &format!("tar --create --owner=0 --group=0 --directory {top} --file {top}.tar ."));
    }
    shell(work.path(), "echo 2.0 > debian-binary; ar rc package.deb debian-binary control.tar data.tar");
    fs::copy(work.path().join("package.deb"), target).unwrap();
}

fn control(name: &str, version: &str, fields: &str) -> String {
    format!(
        "Package: {name}\nVersion: {version}\nArchitecture: all\nMaintainer: A <a@example.org>\nDescription: x\n{fields}"
    )
}

fn run(directory: &Path, arguments: &[&str], paths: &[&Path]) -> Output {
    let mut command = Command::new(kiwi());
    command.env("KIWI_CACHE", directory.join("cache")).args(arguments).args(paths).output().unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// A script of a package or of the description that reports what it sees of the host and of passwords.
fn spy(version: &str, canary: &Path) -> String {
    let (start, end) = PASSWORD.split_at(6);
    format!(
        "#!/bin/sh\nexec > /root/seen-{version} 2>/dev/null\n\
         grep --recursive --files-with-matches --exclude-dir=proc --exclude-dir=sys --exclude-dir=dev '{start}''{end}' /\n\
         for path in '{0}' /proc/*/root'{0}'; do if [ -e \"$path\" ]; then echo \"sees $path\"; fi; done\n\
         echo end\n",
        canary.display()
    )
}

#[test]
fn nothing_in_a_tree_is_obeyed_and_no_script_sees_passwords_or_the_host() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name);
    let (canary, packages) = (path("canary"), path("description/packages"));
    fs::create_dir_all(&packages).unwrap();
    fs::write(&canary, "").unwrap();
    let publish = |version: &str| {
        let (control, script) = (control("spy", version, ""), spy(version, &canary));
        craft(&packages.join("spy.deb"), &[("control", &control), ("postinst", &script)], &[]);
    };
    let repositories = format!(
        r#"<repository><source path="debian://bookworm"/></repository>
  <repository type="deb-dir" username="u" password="{PASSWORD}"><source path="this://packages"/></repository>"#
    );
    fs::write(path("description/config.xml"), description(&repositories, "spy")).unwrap();
    // What apt would run before it reads the repositories, wherever it might look for its configuration.
    let hooks = "for directory in /.kiwi /.kiwi/etc /etc/apt; do\n\
        mkdir -p $directory/apt.conf.d\n\
        for name in Update::Pre-Invoke Update::Post-Invoke; do echo \"APT::$name { \\\"exit 1\\\"; };\"; done \
        > $directory/apt.conf.d/hook\n\
        cp $directory/apt.conf.d/hook $directory/apt.conf\ndone\n\
        grep --recursive --files-with-matches --exclude-dir=proc --exclude-dir=sys --exclude-dir=dev \
        'secret''-of-a-repository' / > /root/seen-config || true\n";
    fs::write(path("description/config.sh"), format!("#!/bin/sh\n{hooks}")).unwrap();
    fs::write(path("description/images.sh"), spy("images", &canary)).unwrap();
    for package_path in ["native", "plain"] {
        publish("1");
        let root = path(package_path);
        let arguments = ["prepare", "--no-cache", "--package-path", package_path, "--root"];
        let prepared = run(directory.path(), &arguments, &[&root, &path("description")]);
        assert!(prepared.status.success(), "{}", said(&prepared));
        let seen = |name: &str| fs::read_to_string(root.join("root").join(name)).unwrap();
        assert_eq!((seen("seen-1").as_str(), seen("seen-config").as_str()), ("end\n", ""), "{package_path}");
        assert!(root.join(".kiwi/apt.conf").exists(), "the script did not leave what it should");
        let mode = fs::metadata(root.join("image/config.xml")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);

        let images = path("images");
        let _ = fs::remove_dir_all(&images);
        fs::create_dir(&images).unwrap();
        let created = run(directory.path(), &["create", "--destdir"], &[&images, &root]);
        assert!(created.status.success(), "{}", said(&created));
        let image = images.join("state.x86_64-1.0.0");
        assert_eq!(judge("unsquashfs", &["-cat", image.to_str().unwrap(), "root/seen-images"]), "end\n");

        publish("2");
        let upgraded = run(directory.path(), &["upgrade"], &[&root]);
        assert!(upgraded.status.success(), "{}", said(&upgraded));
        assert_eq!(seen("seen-2"), "end\n", "{package_path}");
        assert!(fs::read_to_string(root.join("image/config.xml")).unwrap().contains(PASSWORD));
    }
}

#[test]
fn packages_that_replace_parts_of_the_database_are_refused_by_name() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name);
    let packages = path("description/packages");
    fs::create_dir_all(&packages).unwrap();
    let repositories = r#"<repository><source path="debian://bookworm"/></repository>
  <repository type="deb-dir"><source path="this://packages"/></repository>"#;
    fs::write(path("description/config.xml"), description(repositories, "hostile")).unwrap();
    let hook = "APT::Update::Pre-Invoke { \"exit 1\"; };";
    let [plain, status] = ["", "Status: install ok installed\n"]
        .map(|fields| control("hostile", "1", &format!("Essential: yes\n{fields}")));
    type Files = [(&'static str, &'static str)];
    let cases: [(&str, &str, &Files, &Files); 6] = [
        ("control file list", &plain, &[("list", "/etc/passwd\n")], &[]),
        ("field Status", &status, &[], &[]),
        ("etc/relative", &plain, &[("conffiles", "etc/relative\n")], &[("etc/relative", "")]),
        ("/var/lib/dpkg/status", &plain, &[], &[("var/lib/dpkg/status", "")]),
        ("/var/lib/dpkg/info/dpkg.list", &plain, &[], &[("var/lib/dpkg/info/dpkg.list", "")]),
        ("/.kiwi, which", &plain, &[], &[(".kiwi/etc/apt.conf.d/x", hook)]),
    ];
    for (expected, text, more, data) in cases {
        let members: Vec<(&str, &str)> = std::iter::once(&("control", text)).chain(more).copied().collect();
        craft(&packages.join("hostile.deb"), &members, data);
        for package_path in ["native", "plain"] {
            let arguments = ["prepare", "--no-cache", "--package-path", package_path, "--root"];
            let mut command = Command::new(kiwi());
            command.env("KIWI_CACHE", path("cache")).args(arguments);
            let run = Run::of(command.arg(path("root")).arg(path("description")));
            assert_eq!(run.error(), (1, "damaged"), "{expected}, {package_path}: {}", run.last());
            assert!(run.names("hostile") && run.names(expected), "{package_path}: {}", run.last());
            assert!(!path("root").exists());
        }
    }
}

#[test]
fn no_character_of_a_path_breaks_the_configuration_of_apt() {
    let directory = tempfile::tempdir().unwrap();
    let odd = directory.path().join("a \"b'; c::d #e\n f\\g%2e{h}");
    let [local, flat] = ["pack ages", "re po#"].map(|name| odd.join("descr iption").join(name));
    for path in [&local, &flat.join("x y")] {
        fs::create_dir_all(path).unwrap();
    }
    craft(
        &local.join("lo\";%2b cal.deb"),
        &[("control", &control("local++", "1:2", "Depends: flat++\n"))],
        &[],
    );
    craft(&flat.join("x y/fl at%3a.deb"), &[("control", &control("flat++", "3", ""))], &[]);
    shell(
        &flat,
        "dpkg-scanpackages . > Packages; printf 'SHA256:\n %s %s Packages\n' $(sha256sum < Packages | \
                  cut -d ' ' -f 1) $(wc -c < Packages) > Release
         export GNUPGHOME=$(mktemp -d)
         gpg -q --batch --pinentry-mode loopback --passphrase '' --quick-generate-key a rsa2048 sign never
         gpg -q --export a > '../k\"e y;.gpg'
         gpg -q --batch --clearsign --output InRelease Release; gpgconf --kill all; rm -rf \"$GNUPGHOME\"",
    );
    let repositories = r#"<repository><source path="debian://bookworm"/></repository>
  <repository type="deb-dir"><source path="this://pack ages"/></repository>
  <repository type="apt-deb" distribution="./">
    <source path="this://re po#"><signing key='this://k"e y;.gpg'/></source></repository>"#;
    fs::write(odd.join("descr iption/config.xml"), description(repositories, "local++")).unwrap();
    let root: PathBuf = odd.join("tr ee");
    let prepared = run(&odd, &["prepare", "--no-cache", "--root"], &[&root, &odd.join("descr iption")]);
    assert!(prepared.status.success(), "{}", said(&prepared));
    let status = fs::read_to_string(root.join("var/lib/dpkg/status")).unwrap();
    for name in ["local++", "flat++"] {
        assert!(
            status.contains(&format!("Package: {name}\nStatus: install ok installed\n")),
            "{name}: {status}"
        );
    }
}

#[test]
fn a_release_accepts_the_keys_and_the_password_of_its_repository() {
    let directory = tempfile::tempdir().unwrap();
    let description_in = directory.path().join("description");
    fs::create_dir(&description_in).unwrap();
    // A mirror with its own signature and without packages.
    shell(
        directory.path(),
        "export GNUPGHOME=$(mktemp -d)
         gpg -q --batch --pinentry-mode loopback --passphrase '' --quick-generate-key a rsa2048 sign never
         gpg -q --export a > description/key.gpg
         for suite in bookworm bookworm-updates bookworm-security; do
             mkdir -p mirror/dists/$suite/main/binary-amd64; cd mirror/dists/$suite
             : > main/binary-amd64/Packages
             printf 'Suite: %s\nCodename: %s\nArchitectures: amd64\nComponents: main\nSHA256:\n %s 0 main/binary-amd64/Packages\n' \
                 $suite $suite $(sha256sum < main/binary-amd64/Packages | cut -d ' ' -f 1) > Release
             gpg -q --batch --clearsign --output InRelease Release; cd ../../..
         done
         gpgconf --kill all; rm -rf \"$GNUPGHOME\"",
    );
    let web = Web::serve_to(&directory.path().join("mirror"), Some(AUTHORIZATION));
    let url = web.url();
    let password = format!(r#" username="u" password="{PASSWORD}""#);
    let key = r#"<signing key="this://key.gpg"/>"#;
    for (attributes, children, expected) in [
        (password.as_str(), key, "packages"),
        (password.as_str(), "", "signature"),
        ("", key, "repository-unreachable"),
    ] {
        let repository = format!(
            r#"<repository{attributes}><source path="debian://bookworm">{children}</source></repository>"#
        );
        fs::write(description_in.join("config.xml"), description(&repository, "no-such-package")).unwrap();
        let mut command = Command::new(kiwi());
        command.args(["prepare", "--no-cache", "--root"]).arg(directory.path().join("root"));
        command.arg(&description_in).env("KIWI_CACHE", directory.path().join("cache"));
        command.env("KIWI_DEBIAN_MIRROR", &url).env("KIWI_DEBIAN_SECURITY_MIRROR", &url);
        let run = Run::of(&mut command);
        // The repository was read if only the package is missing.
        assert_eq!(run.error(), (1, expected), "{attributes} {children}: {}", run.last());
    }
}
