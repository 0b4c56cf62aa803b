/**
 * Configurations of scripts that watch one directory, as their users have them: key by key, spacing and
 * comments too. Only hosts, accounts and paths are the caller's.
 */
export interface WatchScriptPlaces {
  source: string;
  dest: string;
  host: string;
  user: string;
  key: string;
  /** Where the script kept its state, its log and its copies. */
  directory: string;
}

const rsyncOptions = `"rsync_options": {
        "archive": true,
        "compress": true,
        "verbose": true,
        "update": true,
        "checksum": true,
        "partial": true,
        "bwlimit": 1000,
        "itemize_changes": true,
        "stats": true
    }`;

function beginning({ source, dest, host, user, key, directory }: WatchScriptPlaces): string {
  return `{
    "source_dir": "${source}",
    "state_file": "${directory}/state.json",
    "remote_sync": {
        "remote_user": "${user}",
        "remote_host": "${host}",
        "remote_dest_dir": "${dest}",
        "ssh_key_path": "${key}"
    },
    "logging": {
        "log_file": "${directory}/sync.log",
        "log_level": "INFO"
    },
    "debounce_time": 5,
`;
}

/** The script that copies file by file and never deletes. */
export function plainScriptConfig(places: WatchScriptPlaces): string {
  return `${beginning(places)}    "monitored_extensions": [".rrd", ".txt"],
    ${rsyncOptions}
}
`;
}

/** The script that deletes at the target what was deleted at the source. */
export function deletingScriptConfig(places: WatchScriptPlaces): string {
  return `${beginning(places)}    "monitored_extensions": [
        ".rrd",
        ".txt",
        ".properties",
        ".meta"
    ],
    ${rsyncOptions}
}
`;
}

/** The script that keeps differences; its users copied a comment along, which JSON does not know. */
export function trackingScriptConfig(places: WatchScriptPlaces): string {
  return `${beginning(places)}    "monitored_extensions": [".rrd", ".txt"],
    ${rsyncOptions},
    "change_tracking": {
        "backup_dir": "${places.directory}/backup/",
        "change_log_file": "${places.directory}/change_log.txt",
        "diff_tool": "difflib"  # Options: "difflib" or "diff"
    }
}
`;
}
