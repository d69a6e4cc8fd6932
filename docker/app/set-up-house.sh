#!/bin/sh
# Makes the trial house of docker/compose.yaml: set-up-house.sh SOURCE HOUSE
# Once: a configuration for both switches, whose agents are reached from either, and its secrets, at random. Each time:
# the files of the switches.
set -eu
source=$1
house=$2
config=$house/config
umask 077

secret() {
    [ -e "$config/secrets/$1" ] || python3 -c 'import secrets; print(secrets.token_urlsafe(24))' > "$config/secrets/$1"
}

if [ ! -e "$config" ]; then
    rm -rf "$config.new"
    mkdir -p "$config.new"
    cp -R "$source/ivr_flows/." "$config.new"
    # Neither switch of the house has mailboxes, and each rings the other's phones over the trunk.
    sed -e 's/{mailbox: \([0-9]*\)@default}/{folder: box_\1}/' \
        -e 's|^asterisk:$|&\n  reaches: {freeswitch: "PJSIP/{extension}@freeswitch"}|' \
        "$source/ivr_flows/cordboard.yaml" > "$config.new/cordboard.yaml"
    cat >> "$config.new/cordboard.yaml" <<'HOUSE'

switches: [asterisk, freeswitch]
freeswitch:
  safe_destination: operators,operators
  reaches: {asterisk: "sofia/gateway/asterisk/{extension}"}
database:
  url: postgresql://cordboard@127.0.0.1:5433/cordboard
  password: {file: secrets/database}
HOUSE
    # Alice's phone stays one of Asterisk's; Bob's is one of FreeSWITCH's.
    sed -e 's|PJSIP/1004|user/1004|' "$source/ivr_flows/agents.yaml" > "$config.new/agents.yaml"
    mv "$config.new" "$config"
fi
mkdir -p "$config/secrets" "$house/state"
secret database
secret phones
cordboard lab files "$house/switches" --config "$config" > /dev/null
# fs_cli finds the password by itself
printf '[default]\npassword => %s\n' "$(cat "$config/secrets/event_socket")" > "$house/.fs_cli_conf"
echo "The house is set up. Phones 1000 to 1009 register with the password in $config/secrets/phones."
