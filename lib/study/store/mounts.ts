/** Whether a path lies on a network file system. */
import { existsSync, readFileSync, realpathSync } from "node:fs";
import { dirname, resolve } from "node:path";

const NETWORK =
  /^(nfs\d?|cifs|smb\w*|9p|afs|ceph|lustre|beegfs|gfs2|ocfs2|ncpfs|davfs|fuse\.(sshfs|glusterfs|s3fs|rclone|gcsfuse|ceph\S*|davfs2?))$/;

function mountTable(): string {
  try {
    return readFileSync("/proc/mounts", "utf8");
  } catch {
    return "";
  }
}

/**
 * The network file system under a path, such as "nfs4"; undefined on a local
 * one, and where the system has no /proc/mounts.
 */
export function networkMount(
  path: string,
  mounts = mountTable(),
): string | undefined {
  let there = resolve(path);
  while (!existsSync(there) && there !== dirname(there)) there = dirname(there);
  const real = realpathSync(there);
  let longest = "";
  let found: string | undefined;
  for (const line of mounts.split("\n")) {
    const [, point, type] = line.split(" ");
    if (type === undefined) continue;
    const folder = point.replace(
      /\\(\d{3})/g,
      (_, octal) => String.fromCharCode(parseInt(octal, 8)),
    );
    const inside = real === folder ||
      real.startsWith(folder.endsWith("/") ? folder : `${folder}/`);
    // Of two mounts on one point the later hides the earlier.
    if (inside && folder.length >= longest.length) {
      longest = folder;
      found = NETWORK.test(type) ? type : undefined;
    }
  }
  return found;
}
