//! The program that apt-get calls instead of dpkg.

/// Returns its text. It appends its arguments, an empty text and its input to the file `notes`, each with a NUL at the end. It answers questions about the
/// features of dpkg with yes.
pub(super) fn recorder(notes: &str) -> String {
    format!(
        "#!/bin/sh\n\
         input=\n\
         case \" $* \" in\n\
         *' --assert-'*|*' --print-'*) exit 0;;\n\
         *' --set-selections '*|*' --merge-avail '*) input=$(cat);;\n\
         esac\n\
         printf '%s\\0' \"$@\" '' \"$input\" >> {notes}\n"
    )
}

#[cfg(test)]
mod tests {
    use test_programs::{command, have};

    use super::*;

    #[test]
    fn notes_what_it_is_given() {
        if !have(&["sh", "cat"]) {
            return;
        }
        let directory = tempfile::tempdir().unwrap();
        let notes = directory.path().join("calls");
        let script = recorder(notes.to_str().unwrap());
        let run = |arguments: &[&str], input: &str| {
            let (read, mut write) = std::io::pipe().unwrap();
            std::io::Write::write_all(&mut write, input.as_bytes()).unwrap();
            drop(write);
            let mut recorder = command("sh");
            recorder.args(["-c", &script, "dpkg"]).args(arguments).stdin(read);
            assert!(recorder.status().unwrap().success());
        };
        run(&["--assert-multi-arch"], "");
        run(&["--unpack", "a b\"\\"], "not read");
        run(&["--set-selections"], "a hold\nb install\n");
        let expected = "--unpack\0a b\"\\\0\0\0--set-selections\0\0a hold\nb install\0";
        assert_eq!(std::fs::read_to_string(&notes).unwrap(), expected);
    }
}
