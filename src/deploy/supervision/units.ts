import type { Place } from '../place.ts'
import { mark } from '../place.ts'
import type { Daemon } from './services.ts'

export const unitName = ({ name }: Daemon): string => `altostack-${name}.service`

/** The systemd unit of a daemon. KillMode=process: guests and their servers outlive the agent. */
export const unitText = (daemon: Daemon, place: Place): string => `${mark}
[Unit]
Description=Altostack ${daemon.name}
After=network-online.target openvswitch-switch.service
Wants=network-online.target
StartLimitIntervalSec=0
${daemon.name === 'agent' ? 'Wants=openvswitch-switch.service\n' : ''}
[Service]
ExecStart=${daemon.argv.join(' ')}
User=${daemon.user}
${Object.entries(daemon.env)
  .map(([name, value]) => `Environment=${name}=${value}\n`)
  .join('')}Restart=always
RestartSec=2
KillMode=process
StandardOutput=append:${daemon.log}
StandardError=append:${daemon.log}
${daemon.user === 'root' ? '' : hardening(place)}
[Install]
WantedBy=multi-user.target
`

const hardening = (place: Place) => `NoNewPrivileges=yes
CapabilityBoundingSet=
ProtectSystem=strict
ProtectHome=yes
PrivateTmp=yes
ReadWritePaths=${place.state} ${place.log}
`
