//! The servers of a network, each with settings that need nothing of the host.

use std::fs;
use std::path::Path;

use super::{DOMAIN, Network, Protocol, SERVER, Service, text};

impl Network {
    /// Starts dnsmasq on the bridge: DHCP from 10.77.0.100 to 10.77.0.200, DNS for [`DOMAIN`], and router advertisements, without
    /// which the ROM of a card waits 15 seconds for one. `options` are further options, such as `--dhcp-boot=pxelinux.0`.
    pub fn dhcp(&self, options: &[&str]) -> Service {
        let leases = self.directory.join("leases");
        let mut arguments: Vec<String> = [
            "--keep-in-foreground --conf-file=/dev/null --no-resolv --no-hosts --no-ping --user=root --pid-file",
            "--log-facility=- --log-dhcp --interface=lan --bind-interfaces --enable-ra",
            "--dhcp-range=10.77.0.100,10.77.0.200,1h --dhcp-range=::,constructor:lan,ra-only --dhcp-authoritative",
        ]
        .iter()
        .flat_map(|line| line.split(' ').map(str::to_owned))
        .collect();
        arguments.push(format!("--domain={DOMAIN}"));
        arguments.push(format!("--local=/{DOMAIN}/"));
        arguments.push(format!("--host-record=tftp.{DOMAIN},{SERVER}"));
        arguments.push(format!("--dhcp-leasefile={}", leases.display()));
        arguments.extend(options.iter().map(|option| (*option).to_owned()));
        self.serve("dnsmasq", &arguments, &[(Protocol::Udp, 67), (Protocol::Udp, 53)])
    }

    /// Starts tftpd-hpa, which also receives files.
    pub fn tftp(&self, tree: &Path) -> Service {
        self.tftp_with(tree, &["-c", "-p"])
    }

    /// Starts tftpd-hpa with these options.
    pub fn tftp_with(&self, tree: &Path, options: &[&str]) -> Service {
        let address = format!("{SERVER}:69");
        let arguments = [options, &["-L", "-s", "-u", "root", "-a", &address, text(tree)]].concat();
        let arguments: Vec<String> = arguments.into_iter().map(str::to_owned).collect();
        self.serve("in.tftpd", &arguments, &[(Protocol::Udp, 69)])
    }

    /// Starts tftpd-hpa at a further address of the server.
    pub fn tftp_at(&self, address: &str, tree: &Path) -> Service {
        self.run(&format!("ip address add {address}/24 dev lan"));
        let arguments =
            ["-L", "-s", "-u", "root", "-a", &format!("{address}:69"), text(tree)].map(str::to_owned);
        self.serve("in.tftpd", &arguments, &[(Protocol::Udp, 69)])
    }

    /// Starts atftpd, which knows windows. It conflicts with tftpd-hpa, so `program` is the path of an unpacked one.
    pub fn atftp(&self, program: &Path, tree: &Path) -> Service {
        let options = "--daemon --no-fork --logfile - --user root --group root --verbose=5 --bind-address";
        let arguments: Vec<String> =
            options.split(' ').chain([SERVER, text(tree)]).map(str::to_owned).collect();
        self.serve(text(program), &arguments, &[(Protocol::Udp, 69)])
    }

    /// Starts nginx for the files of `tree`: ranges, and PUT below `/upload/`.
    pub fn http(&self, tree: &Path) -> Service {
        let directory = self.directory.join("nginx");
        fs::create_dir_all(&directory).expect("a directory of nginx");
        let (own, configuration) = (directory.display(), directory.join("nginx.conf"));
        let settings = format!(
            "daemon off; master_process off; user root; pid {own}/pid; error_log stderr;
             events {{ }}
             http {{ access_log off; client_body_temp_path {own}/body; proxy_temp_path {own}/proxy;
                 fastcgi_temp_path {own}/fastcgi; uwsgi_temp_path {own}/uwsgi; scgi_temp_path {own}/scgi;
                 client_max_body_size 10m;
                 server {{ listen {SERVER}:80; root {}; location /upload/ {{ dav_methods PUT; }} }} }}",
            tree.display()
        );
        fs::write(&configuration, settings).expect("a configuration of nginx");
        let arguments = ["-e", "stderr", "-c", text(&configuration)].map(str::to_owned);
        self.serve("nginx", &arguments, &[(Protocol::Tcp, 80)])
    }

    /// Starts Python's server, which sends whole files only.
    pub fn simple_http(&self, tree: &Path) -> Service {
        let arguments =
            ["-m", "http.server", "--bind", SERVER, "--directory", text(tree), "80"].map(str::to_owned);
        self.serve("/usr/bin/python3", &arguments, &[(Protocol::Tcp, 80)])
    }

    /// Starts nbd-server with these exports for one client after the other. It may write; with `copy` the files themselves do
    /// not change.
    pub fn nbd(&self, port: u16, exports: &[(&str, &Path)], copy: bool) -> Service {
        let configuration = self.directory.join(format!("nbd-{port}.conf"));
        let mut settings = format!(
            "[generic]\nuser = root\ngroup = root\nlistenaddr = {SERVER}\nport = {port}\nallowlist = true\n"
        );
        for (name, file) in exports {
            settings += &format!("[{name}]\nexportname = {}\ncopyonwrite = {copy}\n", file.display());
        }
        fs::write(&configuration, settings).expect("a configuration of nbd-server");
        let arguments = ["-d", "-C", text(&configuration)].map(str::to_owned);
        self.serve("nbd-server", &arguments, &[(Protocol::Tcp, port)])
    }

    /// Exports the directory `tree` by NFS of these versions as `/tree`, writable, with nfs-ganesha.
    ///
    /// Port mapper and server have a `/run` of their own: they talk over a socket there, whichever network they are in.
    pub fn nfs(&self, tree: &Path, versions: &str) -> Service {
        let configuration = self.directory.join("ganesha.conf");
        let settings = format!(
            "NFS_CORE_PARAM {{ Protocols = {versions}; Mount_Path_Pseudo = true; MNT_Port = 20048; NLM_Port = 20049; Rquota_Port = 20050; Enable_NLM = false; }}
             NFSv4 {{ Graceless = true; RecoveryBackend = fs; RecoveryRoot = {0}/recovery; }}
             EXPORT_DEFAULTS {{ SecType = sys; }}
             EXPORT {{ Export_Id = 1; Path = {1}; Pseudo = /tree; Access_Type = RW; Squash = No_Root_Squash;
                 FSAL {{ Name = VFS; }} }}",
            self.directory.display(),
            tree.display()
        );
        fs::write(&configuration, settings).expect("a configuration of nfs-ganesha");
        fs::create_dir_all(self.directory.join("recovery")).expect("a directory of nfs-ganesha");
        let own = self.directory.display();
        let script = format!(
            "mount -t tmpfs run /run && {{ setpriv --pdeathsig KILL rpcbind -f & }} &&
             until [ -S /run/rpcbind.sock ]; do sleep 0.05; done &&
             exec ganesha.nfsd -F -L /dev/stdout -N EVENT -p {own}/ganesha.pid -f {own}/ganesha.conf"
        );
        let arguments = ["--mount", "sh", "-c", &script].map(str::to_owned);
        self.serve("unshare", &arguments, &[(Protocol::Tcp, 111), (Protocol::Tcp, 2049)])
    }
}
