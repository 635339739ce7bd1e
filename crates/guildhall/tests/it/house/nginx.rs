//! Debian's nginx before web, with the lines that `docs/protocol/sse.md` prints for it.

use std::{
    path::Path,
    process::{Child, Command, Stdio},
};

use tokio::net::TcpStream;

use super::{free_port, until};

/// It ends when this is dropped.
pub(crate) struct Nginx {
    child: Child,
    port: u16,
}

impl Nginx {
    /// Before a port of this machine, with its files in `folder`.
    pub(crate) async fn before(target: u16, folder: &Path) -> Self {
        let port = free_port();
        Self::start(port, &config(port, target, folder), folder).await
    }

    /// With all of the settings that a page of ours prints, which have it listen on this port.
    pub(crate) async fn printed(port: u16, printed: &str, folder: &Path) -> Self {
        let http = format!("http {{\n{}", without_root(folder));
        let printed = printed.replacen("http {", &http, 1);
        let one_process = one_process(folder);
        Self::start(port, &format!("{one_process}\n{printed}"), folder).await
    }

    async fn start(port: u16, config: &str, folder: &Path) -> Self {
        let file = folder.join("nginx.conf");
        std::fs::write(&file, config).expect("its settings");
        let child = Command::new("/usr/sbin/nginx")
            .arg("-c")
            .arg(&file)
            .arg("-e")
            .arg(folder.join("nginx.err"))
            .stdin(Stdio::null())
            .spawn()
            .expect("nginx starts");
        let answers = async || TcpStream::connect(("127.0.0.1", port)).await.is_ok();
        until("nginx listens", answers).await;
        Self { child, port }
    }

    /// A URL on it.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://localhost:{}{path}", self.port)
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        // One process, of which nothing stays.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn config(port: u16, target: u16, folder: &Path) -> String {
    let page = include_str!("../../../../../docs/protocol/sse.md");
    let printed = page.split("```nginx\n").nth(1).expect("lines for nginx");
    let printed = printed.split("```").next().expect("they end");
    let target = format!("http://127.0.0.1:{target}");
    let printed = printed.replace("http://127.0.0.1:3000", &target);
    assert!(printed.contains(&target), "{printed}");
    format!(
        "{}\nevents {{}}\nhttp {{\n{}\n\
         server {{\nlisten 127.0.0.1:{port};\n{printed}}}\n}}\n",
        one_process(folder),
        without_root(folder)
    )
}

fn one_process(folder: &Path) -> String {
    let folder = folder.display();
    format!("daemon off; master_process off; pid {folder}/nginx.pid;")
}

/// What it writes is the test's.
fn without_root(folder: &Path) -> String {
    let folder = folder.display();
    let written = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
    let written = written.map(|name| format!("{name}_temp_path {folder}/nginx-{name};"));
    format!("access_log off;\n{}", written.join("\n"))
}
