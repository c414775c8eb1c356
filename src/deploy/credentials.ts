import { identityUrl } from './config.ts'
import { mark } from './place.ts'

export type Where = { host: string; region: string }

export type Who = { name: 'admin' | 'demo'; password: string }

/** A file for a shell's `source`, as packstack leaves it in root's home. Only the administrator's names the region. */
export const keystonerc = ({ name, password }: Who, { host, region }: Where): string =>
  [
    'unset OS_SERVICE_TOKEN',
    `export OS_USERNAME=${name}`,
    `export OS_PASSWORD='${password}'`,
    ...(name === 'admin' ? [`export OS_REGION_NAME=${region}`] : []),
    `export OS_AUTH_URL=${identityUrl(host)}`,
    `export PS1='[\\u@\\h \\W(keystone_${name})]\\$ '`,
    `export OS_PROJECT_NAME=${name}`,
    'export OS_USER_DOMAIN_NAME=Default',
    'export OS_PROJECT_DOMAIN_NAME=Default',
    'export OS_IDENTITY_API_VERSION=3',
    mark,
    '',
  ].join('\n')

/** For the current clients: `openstack --os-cloud altostack`, or `altostack-demo`. */
export const cloudsYaml = (admin: string, demo: string, where: Where): string =>
  [
    mark,
    'clouds:',
    ...cloud('altostack', { name: 'admin', password: admin }, where),
    ...cloud('altostack-demo', { name: 'demo', password: demo }, where),
    '',
  ].join('\n')

const cloud = (title: string, { name, password }: Who, { host, region }: Where): string[] => [
  `  ${title}:`,
  `    region_name: ${region}`,
  '    identity_api_version: 3',
  '    auth:',
  `      auth_url: ${identityUrl(host)}`,
  `      username: ${name}`,
  `      password: '${password}'`,
  `      project_name: ${name}`,
  '      user_domain_name: Default',
  '      project_domain_name: Default',
]
