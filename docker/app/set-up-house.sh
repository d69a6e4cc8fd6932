#!/bin/sh
# Makes the trial house of docker/compose.yaml in /house, once: a configuration for both switches, whose phones reach
# each other's by their extension, and the switches' files.
set -eu
config=/house/config
switches=/house/switches

if [ ! -e "$config" ]; then
    cp -r /usr/src/cordboard/ivr_flows "$config"
    # neither switch of the house has mailboxes
    sed -i 's/{mailbox: \([0-9]*\)@default}/{folder: box_\1}/' "$config/cordboard.yaml"
    printf 'switches: [asterisk, freeswitch]\n%s\n' "$(cat "$config/cordboard.yaml")" > "$config/cordboard.yaml.new"
    mv "$config/cordboard.yaml.new" "$config/cordboard.yaml"
fi
mkdir -p /house/state
cordboard lab files "$switches" --config "$config"
cat > "$switches/freeswitch/start.sh" <<'START'
#!/bin/sh
# Every folder of FreeSWITCH's lies in the house.
cd "$(dirname "$0")"
exec freeswitch -nf -nc -nonat -conf "$PWD/conf" -certs "$PWD/conf" -sounds "$PWD/sounds" -log "$PWD/log" -db "$PWD/db" \
    -run "$PWD/run" -temp "$PWD/temp" -storage "$PWD/storage" -recordings "$PWD/recordings" -cache "$PWD/cache"
START
