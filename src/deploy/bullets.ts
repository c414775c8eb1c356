import type { Accelerator } from '../drivers/hypervisor/qemu/accelerator.ts'

export type Ending = {
  host: string
  home: string
  /** Where the answers are that were carried out. */
  answerFile: string
  /** A copy of the administrator's file for the user who ran sudo. */
  copy?: string
  cloudsYaml?: string
  hasDemo: boolean
  accelerator: Accelerator
  logFile: string
  supervision: 'systemd' | 'loop'
  program: string
  /** What can be typed, and what not, a line each. */
  commands: readonly string[]
}

/** What packstack tells at its end. */
export const bullets = (end: Ending): string[] => [
  `The answers of this installation are in ${end.answerFile}`,
  'Time synchronisation was not set up: the clock of this machine is left alone, guests take theirs from it',
  `${end.home}/keystonerc_admin was made on ${end.host}; to use the command line clients: . ${end.home}/keystonerc_admin`,
  ...(end.hasDemo ? [`${end.home}/keystonerc_demo does the same for the user demo`] : []),
  ...end.commands,
  ...(end.copy === undefined ? [] : [`A copy of the administrator's file is ${end.copy}`]),
  ...(end.cloudsYaml === undefined
    ? []
    : [`Clients that read clouds.yaml: openstack --os-cloud altostack ... (${end.cloudsYaml})`]),
  end.accelerator === 'kvm' ? 'Guests run by KVM' : 'KVM is not usable on this machine: guests run in software emulation',
  ...(end.supervision === 'systemd'
    ? []
    : [
        `There is no systemd: after a reboot start the cloud by ${end.program}/bin/packstack --start (the README tells how to hook it in)`,
      ]),
  `What runs and what is wrong: ${end.program}/bin/packstack --status`,
  `The log of this installation is ${end.logFile}`,
]
