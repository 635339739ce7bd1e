// Written by `cargo xtask codegen` from docs/openapi.json: a change here is lost.

import type { Schema, Schemas } from '../schema'

/** Every event of a stream: how it travels, which word of `?events=` asks for it, its data. */
export const events = {
  "bye": {
    "data": {
      "$ref": "ByePayload"
    },
    "family": null,
    "lane": "stream"
  },
  "checkpoint": {
    "data": {
      "$ref": "CheckpointPayload"
    },
    "family": null,
    "lane": "stream"
  },
  "gap": {
    "data": {
      "properties": {
        "from": {
          "minimum": 0,
          "type": "integer"
        },
        "guildId": {
          "$ref": "Snowflake"
        },
        "synthetic": {
          "type": "boolean"
        },
        "to": {
          "minimum": 0,
          "type": "integer"
        },
        "ts": {
          "minimum": 0,
          "type": "integer"
        }
      },
      "required": [
        "guildId",
        "ts",
        "from",
        "to"
      ],
      "type": "object"
    },
    "family": null,
    "lane": "log"
  },
  "guild.available": {
    "data": {
      "properties": {
        "guild": {
          "$ref": "GuildPicture"
        },
        "guildId": {
          "$ref": "Snowflake"
        },
        "synthetic": {
          "type": "boolean"
        },
        "ts": {
          "minimum": 0,
          "type": "integer"
        }
      },
      "required": [
        "guildId",
        "ts"
      ],
      "type": "object"
    },
    "family": null,
    "lane": "log"
  },
  "guild.removed": {
    "data": {
      "$ref": "Stamp"
    },
    "family": null,
    "lane": "log"
  },
  "guild.unavailable": {
    "data": {
      "$ref": "Stamp"
    },
    "family": null,
    "lane": "log"
  },
  "guild.updated": {
    "data": {
      "properties": {
        "guildId": {
          "$ref": "Snowflake"
        },
        "icon": {
          "type": [
            "string",
            "null"
          ]
        },
        "name": {
          "type": "string"
        },
        "synthetic": {
          "type": "boolean"
        },
        "ts": {
          "minimum": 0,
          "type": "integer"
        }
      },
      "required": [
        "guildId",
        "ts",
        "name",
        "icon"
      ],
      "type": "object"
    },
    "family": null,
    "lane": "log"
  },
  "resumed": {
    "data": {
      "$ref": "ResumedPayload"
    },
    "family": null,
    "lane": "stream"
  },
  "room.created": {
    "data": {
      "properties": {
        "channelId": {
          "$ref": "Snowflake"
        },
        "guildId": {
          "$ref": "Snowflake"
        },
        "hidden": {
          "type": "boolean"
        },
        "kind": {
          "$ref": "RoomKind"
        },
        "locked": {
          "type": "boolean"
        },
        "managed": {
          "type": "boolean"
        },
        "name": {
          "type": "string"
        },
        "ownerId": {
          "$ref": "Snowflake"
        },
        "parentId": {
          "$ref": "Snowflake"
        },
        "parentName": {
          "type": "string"
        },
        "position": {
          "type": "integer"
        },
        "status": {
          "type": "string"
        },
        "synthetic": {
          "type": "boolean"
        },
        "ts": {
          "minimum": 0,
          "type": "integer"
        },
        "userLimit": {
          "minimum": 0,
          "type": "integer"
        }
      },
      "required": [
        "guildId",
        "ts",
        "channelId",
        "name",
        "kind",
        "position",
        "userLimit"
      ],
      "type": "object"
    },
    "family": "room",
    "lane": "log"
  },
  "room.deleted": {
    "data": {
      "properties": {
        "channelId": {
          "$ref": "Snowflake"
        },
        "guildId": {
          "$ref": "Snowflake"
        },
        "synthetic": {
          "type": "boolean"
        },
        "ts": {
          "minimum": 0,
          "type": "integer"
        }
      },
      "required": [
        "guildId",
        "ts",
        "channelId"
      ],
      "type": "object"
    },
    "family": "room",
    "lane": "log"
  },
  "room.hidden": {
    "data": {
      "properties": {
        "channelId": {
          "$ref": "Snowflake"
        },
        "guildId": {
          "$ref": "Snowflake"
        },
        "synthetic": {
          "type": "boolean"
        },
        "ts": {
          "minimum": 0,
          "type": "integer"
        }
      },
      "required": [
        "guildId",
        "ts",
        "channelId"
      ],
      "type": "object"
    },
    "family": null,
    "lane": "stream"
  },
  "room.idle": {
    "data": {
      "properties": {
        "channelId": {
          "$ref": "Snowflake"
        },
        "deletesAt": {
          "minimum": 0,
          "type": [
            "integer",
            "null"
          ]
        },
        "guildId": {
          "$ref": "Snowflake"
        },
        "synthetic": {
          "type": "boolean"
        },
        "ts": {
          "minimum": 0,
          "type": "integer"
        }
      },
      "required": [
        "guildId",
        "ts",
        "channelId",
        "deletesAt"
      ],
      "type": "object"
    },
    "family": "room",
    "lane": "log"
  },
  "room.shown": {
    "data": {
      "properties": {
        "channelId": {
          "$ref": "Snowflake"
        },
        "guildId": {
          "$ref": "Snowflake"
        },
        "hidden": {
          "type": "boolean"
        },
        "kind": {
          "$ref": "RoomKind"
        },
        "locked": {
          "type": "boolean"
        },
        "managed": {
          "type": "boolean"
        },
        "members": {
          "items": {
            "$ref": "Occupant"
          },
          "type": "array"
        },
        "name": {
          "type": "string"
        },
        "ownerId": {
          "$ref": "Snowflake"
        },
        "parentId": {
          "$ref": "Snowflake"
        },
        "parentName": {
          "type": "string"
        },
        "position": {
          "type": "integer"
        },
        "status": {
          "type": "string"
        },
        "synthetic": {
          "type": "boolean"
        },
        "ts": {
          "minimum": 0,
          "type": "integer"
        },
        "userLimit": {
          "minimum": 0,
          "type": "integer"
        }
      },
      "required": [
        "guildId",
        "ts",
        "channelId",
        "name",
        "kind",
        "position",
        "userLimit",
        "members"
      ],
      "type": "object"
    },
    "family": null,
    "lane": "stream"
  },
  "room.updated": {
    "data": {
      "properties": {
        "channelId": {
          "$ref": "Snowflake"
        },
        "guildId": {
          "$ref": "Snowflake"
        },
        "hidden": {
          "type": "boolean"
        },
        "kind": {
          "$ref": "RoomKind"
        },
        "locked": {
          "type": "boolean"
        },
        "managed": {
          "type": "boolean"
        },
        "name": {
          "type": "string"
        },
        "ownerId": {
          "$ref": "Snowflake"
        },
        "parentId": {
          "$ref": "Snowflake"
        },
        "parentName": {
          "type": "string"
        },
        "position": {
          "type": "integer"
        },
        "status": {
          "type": "string"
        },
        "synthetic": {
          "type": "boolean"
        },
        "ts": {
          "minimum": 0,
          "type": "integer"
        },
        "userLimit": {
          "minimum": 0,
          "type": "integer"
        }
      },
      "required": [
        "guildId",
        "ts",
        "channelId",
        "name",
        "kind",
        "position",
        "userLimit"
      ],
      "type": "object"
    },
    "family": "room",
    "lane": "log"
  },
  "snapshot": {
    "data": {
      "$ref": "SnapshotPayload"
    },
    "family": null,
    "lane": "stream"
  },
  "status": {
    "data": {
      "$ref": "StatusPayload"
    },
    "family": null,
    "lane": "stream"
  },
  "voice.joined": {
    "data": {
      "properties": {
        "avatar": {
          "type": [
            "string",
            "null"
          ]
        },
        "avatarUrl": {
          "type": "string"
        },
        "bot": {
          "type": "boolean"
        },
        "channelId": {
          "$ref": "Snowflake"
        },
        "deaf": {
          "type": "boolean"
        },
        "displayName": {
          "type": "string"
        },
        "guildId": {
          "$ref": "Snowflake"
        },
        "mute": {
          "type": "boolean"
        },
        "selfDeaf": {
          "type": "boolean"
        },
        "selfMute": {
          "type": "boolean"
        },
        "since": {
          "minimum": 0,
          "type": "integer"
        },
        "streaming": {
          "type": "boolean"
        },
        "suppressed": {
          "type": "boolean"
        },
        "synthetic": {
          "type": "boolean"
        },
        "ts": {
          "minimum": 0,
          "type": "integer"
        },
        "userId": {
          "$ref": "Snowflake"
        },
        "username": {
          "type": "string"
        },
        "video": {
          "type": "boolean"
        }
      },
      "required": [
        "guildId",
        "ts",
        "mute",
        "deaf",
        "selfMute",
        "selfDeaf",
        "streaming",
        "video",
        "suppressed",
        "channelId",
        "userId",
        "username",
        "displayName",
        "avatar",
        "avatarUrl",
        "bot",
        "since"
      ],
      "type": "object"
    },
    "family": "voice",
    "lane": "log"
  },
  "voice.left": {
    "data": {
      "properties": {
        "channelId": {
          "type": "null"
        },
        "guildId": {
          "$ref": "Snowflake"
        },
        "previousChannelId": {
          "$ref": "Snowflake"
        },
        "synthetic": {
          "type": "boolean"
        },
        "ts": {
          "minimum": 0,
          "type": "integer"
        },
        "userId": {
          "$ref": "Snowflake"
        }
      },
      "required": [
        "guildId",
        "ts",
        "channelId",
        "previousChannelId",
        "userId"
      ],
      "type": "object"
    },
    "family": "voice",
    "lane": "log"
  },
  "voice.updated": {
    "data": {
      "properties": {
        "avatar": {
          "type": [
            "string",
            "null"
          ]
        },
        "avatarUrl": {
          "type": "string"
        },
        "bot": {
          "type": "boolean"
        },
        "channelId": {
          "$ref": "Snowflake"
        },
        "deaf": {
          "type": "boolean"
        },
        "displayName": {
          "type": "string"
        },
        "guildId": {
          "$ref": "Snowflake"
        },
        "mute": {
          "type": "boolean"
        },
        "selfDeaf": {
          "type": "boolean"
        },
        "selfMute": {
          "type": "boolean"
        },
        "since": {
          "minimum": 0,
          "type": "integer"
        },
        "streaming": {
          "type": "boolean"
        },
        "suppressed": {
          "type": "boolean"
        },
        "synthetic": {
          "type": "boolean"
        },
        "ts": {
          "minimum": 0,
          "type": "integer"
        },
        "userId": {
          "$ref": "Snowflake"
        },
        "username": {
          "type": "string"
        },
        "video": {
          "type": "boolean"
        }
      },
      "required": [
        "guildId",
        "ts",
        "mute",
        "deaf",
        "selfMute",
        "selfDeaf",
        "streaming",
        "video",
        "suppressed",
        "channelId",
        "userId",
        "username",
        "displayName",
        "avatar",
        "avatarUrl",
        "bot",
        "since"
      ],
      "type": "object"
    },
    "family": "voice",
    "lane": "log"
  }
} satisfies Record<string, Event>

interface Event {
  readonly lane: string
  readonly family: string | null
  readonly data: Schema
}

/** What `$ref` names. */
export const schemas: Schemas = {
  "ByePayload": {
    "properties": {
      "reason": {
        "$ref": "ByeReason"
      },
      "retryMs": {
        "minimum": 0,
        "type": "integer"
      }
    },
    "required": [
      "reason",
      "retryMs"
    ],
    "type": "object"
  },
  "ByeReason": {
    "enum": [
      "draining",
      "max_age",
      "session_expired",
      "session_revoked",
      "too_many_streams",
      "unavailable"
    ],
    "type": "string"
  },
  "CheckpointPayload": {
    "properties": {
      "now": {
        "minimum": 0,
        "type": "integer"
      },
      "settled": {
        "items": {
          "type": "string"
        },
        "type": "array"
      }
    },
    "required": [
      "now"
    ],
    "type": "object"
  },
  "CommandOutcome": {
    "properties": {
      "discordUrl": {
        "type": "string"
      },
      "doneAt": {
        "minimum": 0,
        "type": "integer"
      },
      "outcome": {
        "$ref": "OutcomeWord"
      },
      "position": {
        "type": "string"
      },
      "until": {
        "minimum": 0,
        "type": "integer"
      }
    },
    "required": [
      "outcome"
    ],
    "type": "object"
  },
  "CreatedInvite": {
    "properties": {
      "expiresAt": {
        "minimum": 0,
        "type": "integer"
      },
      "outcome": {
        "$ref": "OutcomeWord"
      },
      "token": {
        "type": "string"
      },
      "url": {
        "type": "string"
      }
    },
    "required": [
      "outcome",
      "token",
      "url",
      "expiresAt"
    ],
    "type": "object"
  },
  "CreatedRoom": {
    "properties": {
      "channelId": {
        "$ref": "Snowflake"
      },
      "discordUrl": {
        "type": "string"
      },
      "outcome": {
        "$ref": "OutcomeWord"
      },
      "position": {
        "type": "string"
      }
    },
    "required": [
      "outcome",
      "channelId",
      "discordUrl"
    ],
    "type": "object"
  },
  "Discord": {
    "enum": [
      "live",
      "resuming",
      "down",
      "unknown"
    ],
    "type": "string"
  },
  "GuildPicture": {
    "properties": {
      "available": {
        "type": "boolean"
      },
      "icon": {
        "type": [
          "string",
          "null"
        ]
      },
      "id": {
        "$ref": "Snowflake"
      },
      "name": {
        "type": "string"
      },
      "rooms": {
        "items": {
          "$ref": "RoomPicture"
        },
        "type": "array"
      }
    },
    "required": [
      "id",
      "name",
      "icon",
      "available",
      "rooms"
    ],
    "type": "object"
  },
  "JoinedRoom": {
    "properties": {
      "channelId": {
        "$ref": "Snowflake"
      },
      "discordUrl": {
        "type": "string"
      },
      "doneAt": {
        "minimum": 0,
        "type": "integer"
      },
      "outcome": {
        "$ref": "OutcomeWord"
      },
      "position": {
        "type": "string"
      },
      "until": {
        "minimum": 0,
        "type": "integer"
      }
    },
    "required": [
      "outcome",
      "channelId",
      "discordUrl"
    ],
    "type": "object"
  },
  "LinkState": {
    "enum": [
      "up",
      "down"
    ],
    "type": "string"
  },
  "Me": {
    "properties": {
      "expiresAt": {
        "minimum": 0,
        "type": "integer"
      },
      "guilds": {
        "items": {
          "$ref": "Snowflake"
        },
        "type": "array"
      },
      "user": {
        "$ref": "Profile"
      }
    },
    "required": [
      "user",
      "guilds",
      "expiresAt"
    ],
    "type": "object"
  },
  "Occupant": {
    "properties": {
      "avatar": {
        "type": [
          "string",
          "null"
        ]
      },
      "avatarUrl": {
        "type": "string"
      },
      "bot": {
        "type": "boolean"
      },
      "channelId": {
        "$ref": "Snowflake"
      },
      "deaf": {
        "type": "boolean"
      },
      "displayName": {
        "type": "string"
      },
      "mute": {
        "type": "boolean"
      },
      "selfDeaf": {
        "type": "boolean"
      },
      "selfMute": {
        "type": "boolean"
      },
      "since": {
        "minimum": 0,
        "type": "integer"
      },
      "streaming": {
        "type": "boolean"
      },
      "suppressed": {
        "type": "boolean"
      },
      "userId": {
        "$ref": "Snowflake"
      },
      "username": {
        "type": "string"
      },
      "video": {
        "type": "boolean"
      }
    },
    "required": [
      "mute",
      "deaf",
      "selfMute",
      "selfDeaf",
      "streaming",
      "video",
      "suppressed",
      "channelId",
      "userId",
      "username",
      "displayName",
      "avatar",
      "avatarUrl",
      "bot",
      "since"
    ],
    "type": "object"
  },
  "OutcomeWord": {
    "enum": [
      "done",
      "queued",
      "waiting"
    ],
    "type": "string"
  },
  "Profile": {
    "properties": {
      "avatarUrl": {
        "type": "string"
      },
      "displayName": {
        "type": "string"
      },
      "id": {
        "$ref": "Snowflake"
      },
      "username": {
        "type": "string"
      }
    },
    "required": [
      "id",
      "username",
      "displayName",
      "avatarUrl"
    ],
    "type": "object"
  },
  "ResumedPayload": {
    "properties": {
      "replayed": {
        "minimum": 0,
        "type": "integer"
      },
      "status": {
        "$ref": "StatusPayload"
      }
    },
    "required": [
      "replayed",
      "status"
    ],
    "type": "object"
  },
  "RoomKind": {
    "enum": [
      "voice",
      "stage"
    ],
    "type": "string"
  },
  "RoomPicture": {
    "properties": {
      "channelId": {
        "$ref": "Snowflake"
      },
      "hidden": {
        "type": "boolean"
      },
      "kind": {
        "$ref": "RoomKind"
      },
      "locked": {
        "type": "boolean"
      },
      "managed": {
        "type": "boolean"
      },
      "members": {
        "items": {
          "$ref": "Occupant"
        },
        "type": "array"
      },
      "name": {
        "type": "string"
      },
      "ownerId": {
        "$ref": "Snowflake"
      },
      "parentId": {
        "$ref": "Snowflake"
      },
      "parentName": {
        "type": "string"
      },
      "position": {
        "type": "integer"
      },
      "status": {
        "type": "string"
      },
      "userLimit": {
        "minimum": 0,
        "type": "integer"
      }
    },
    "required": [
      "channelId",
      "name",
      "kind",
      "position",
      "userLimit",
      "members"
    ],
    "type": "object"
  },
  "SnapshotPayload": {
    "properties": {
      "guilds": {
        "items": {
          "$ref": "GuildPicture"
        },
        "type": "array"
      },
      "reason": {
        "$ref": "SnapshotReason"
      },
      "status": {
        "$ref": "StatusPayload"
      }
    },
    "required": [
      "reason",
      "status",
      "guilds"
    ],
    "type": "object"
  },
  "SnapshotReason": {
    "enum": [
      "no_cursor",
      "epoch_changed",
      "cursor_expired",
      "authz_changed",
      "slow_consumer"
    ],
    "type": "string"
  },
  "Snowflake": {
    "pattern": "^\\d{1,20}$",
    "type": "string"
  },
  "Stamp": {
    "properties": {
      "guildId": {
        "$ref": "Snowflake"
      },
      "synthetic": {
        "type": "boolean"
      },
      "ts": {
        "minimum": 0,
        "type": "integer"
      }
    },
    "required": [
      "guildId",
      "ts"
    ],
    "type": "object"
  },
  "StatusPayload": {
    "properties": {
      "discord": {
        "$ref": "Discord"
      },
      "guildIds": {
        "items": {
          "$ref": "Snowflake"
        },
        "type": "array"
      },
      "link": {
        "$ref": "LinkState"
      },
      "since": {
        "minimum": 0,
        "type": "integer"
      }
    },
    "required": [
      "discord",
      "link",
      "since"
    ],
    "type": "object"
  }
}
