//! kiwi installed from source by the commands of the handbook: the installed program finds its boot program and descriptions.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use kiwi_tests::handbook::blocks;
use kiwi_tests::program::{checkout, clear, scratch};
use kiwi_tests::small::{self, text};

const TYPE: &str = "<type image=\"iso\" flags=\"overlay\"/>";

#[test]
#[ignore = "compiles kiwi twice; scripts/test --all"]
fn an_installed_program_makes_boot_images_and_misses_linuxrc_before_any_work() {
    // No checkout lies above these directories, whose files or settings of cargo would be found.
    let directory = tempfile::tempdir().unwrap();
    let [sources, home] = ["sources", "home"].map(|name| directory.path().join(name));
    copy_the_sources(&sources);
    let home = home.as_path();
    std::fs::create_dir(home).unwrap();
    let prefix = home.join("prefix");
    for (program, commands) in [
        (None, "scripts/build"),
        (Some(prefix.join("bin/kiwi")), "PREFIX/bin/kiwi"),
        (Some(home.join(".cargo/bin/kiwi")), "cargo install "),
    ] {
        let script = page(commands).replace("PREFIX", text(&prefix));
        let output = compile(&script, &sources, home);
        assert!(output.status.success(), "{script}{}", String::from_utf8_lossy(&output.stderr));
        if let Some(program) = program {
            makes_a_boot_image(&program, home);
            needs_linuxrc(&program, home);
        }
    }
}

/// Copies the files of the checkout as they are. The target directory remains from the previous run, with all crates of others.
fn copy_the_sources(sources: &Path) {
    clear(sources);
    for entry in checkout().read_dir().unwrap().map(|entry| entry.unwrap()) {
        if !["target", ".git", "fuzz"].contains(&text(Path::new(&entry.file_name()))) {
            let status = Command::new("cp").arg("-a").arg(entry.path()).arg(sources).status().unwrap();
            assert!(status.success());
        }
    }
    let target = scratch("from-source");
    std::fs::create_dir_all(&target).unwrap();
    std::os::unix::fs::symlink(target, sources.join("target")).unwrap();
}

/// Returns the block of the page that contains `command`.
fn page(command: &str) -> String {
    let of_page = blocks().into_iter().filter(|block| block.page == "docs/install.md");
    let found: Vec<String> = of_page.map(|block| block.text).filter(|text| text.contains(command)).collect();
    assert_eq!(found.len(), 1, "{command}: {found:?}");
    found.into_iter().next().unwrap()
}

/// Runs commands as the user of `home`, with the compiler and the crates of the user who runs this test.
fn compile(script: &str, sources: &Path, home: &Path) -> Output {
    let own = |variable: &str, directory: &str| {
        let below_home = || Path::new(&std::env::var_os("HOME").expect("HOME is set")).join(directory);
        std::env::var_os(variable).map_or_else(below_home, PathBuf::from)
    };
    Command::new("bash")
        .args(["-euo", "pipefail", "-c", script])
        .current_dir(sources)
        .env("CARGO_HOME", own("CARGO_HOME", ".cargo"))
        .env("RUSTUP_HOME", own("RUSTUP_HOME", ".rustup"))
        .env("CARGO_INSTALL_ROOT", home.join(".cargo"))
        .env("CARGO_NET_OFFLINE", "true")
        .env("HOME", home)
        .env_remove("CARGO_TARGET_DIR")
        .output()
        .unwrap()
}

/// The boot image is built from a description that was installed, with the linuxrc that was.
fn makes_a_boot_image(program: &Path, home: &Path) {
    let images = home.join("images");
    clear(&images);
    let tree = small::tree();
    let _held = small::hold(tree);
    std::fs::write(tree.join("image/config.xml"), small::DESCRIPTION.replace("TYPE", TYPE)).unwrap();
    let made = Command::new(program)
        .args(["create", text(tree), "--destdir", text(&images)])
        .env_remove("KIWI_SHARE")
        .output()
        .unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    assert!(images.join(small::SYSTEM).with_extension("0.iso").is_file(), "{}", images.display());
}

/// Without linuxrc, nothing is downloaded, unpacked or written.
fn needs_linuxrc(program: &Path, home: &Path) {
    let packaged = Path::new("/usr/lib/kiwi/linuxrc");
    assert!(
        !packaged.exists(),
        "{} belongs to an installed package, which this test is not for",
        packaged.display()
    );
    let linuxrc = program.parent().unwrap().join("../lib/kiwi/linuxrc");
    std::fs::remove_file(linuxrc).unwrap();
    let (description, images, cache) = (home.join("description"), home.join("none"), home.join("cache"));
    for directory in [&description, &images] {
        clear(directory);
    }
    std::fs::write(description.join("config.xml"), small::DESCRIPTION.replace("TYPE", TYPE)).unwrap();
    let failed = Command::new(program)
        .args(["build", text(&description), "--destdir", text(&images)])
        .env("KIWI_CACHE", &cache)
        .env_remove("KIWI_SHARE")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&failed.stderr);
    assert!(!failed.status.success() && said.contains("the static program linuxrc is missing"), "{said}");
    assert_eq!(images.read_dir().unwrap().count(), 0, "{said}");
    assert!(!cache.exists(), "{said}");
}
