#!/bin/sh
# Cards and disks that come while we run.
[ "$ACTION" = add ] && [ "$SUBSYSTEM" = net ] && case $INTERFACE in
eth*) [ -f "/run/udhcpc.$INTERFACE.pid" ] || /etc/init.d/dhcp "$INTERFACE" & ;;
esac
read -r up _ < /proc/uptime
[ "$SUBSYSTEM" = block ] && [ -n "$DEVNAME" ] && echo "mini: $up disk $ACTION $DEVNAME" > /dev/console
exit 0
