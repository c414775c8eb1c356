/** Facts of the standard definitions that come with Glance (release Zed): names, types, bounds, choices and what they apply to. */
export type StandardNamespace = {
  namespace: string
  protected: boolean
  /** Name, prefix, target of the properties; empty: none. */
  resourceTypes: [name: string, prefix: string, target: string][]
  properties: Record<string, Facts>
  objects: Record<string, Record<string, Facts>>
}

type Facts = { type: string; [fact: string]: unknown }

// biome-ignore format: one fact, one line
export const standardNamespaces: StandardNamespace[] = [
  {
    namespace: "CIM::ProcessorAllocationSettingData",
    protected: true,
    resourceTypes: [["OS::Cinder::Volume", "CIM_PASD_", "image"], ["OS::Glance::Image", "CIM_PASD_", ""], ["OS::Nova::Aggregate", "CIM_PASD_", ""], ["OS::Nova::Flavor", "CIM_PASD_", ""], ["OS::Nova::Server", "", "scheduler_hints"]],
    properties: {
      "InstructionSet": {"type": "string", "enum": ["x86:i386", "x86:i486", "x86:i586", "x86:i686", "x86:64", "IA-64:IA-64", "AS/400:TIMI", "Power:Power_2.03", "Power:Power_2.04", "Power:Power_2.05", "Power:Power_2.06", "S/390:ESA/390", "S/390:z/Architecture", "S/390:z/Architecture_2", "PA-RISC:PA-RISC_1.0", "PA-RISC:PA-RISC_2.0", "ARM:A32", "ARM:A64", "MIPS:MIPS_I", "MIPS:MIPS_II", "MIPS:MIPS_III", "MIPS:MIPS_IV", "MIPS:MIPS_V", "MIPS:MIPS32", "MIPS64:MIPS64", "Alpha:Alpha", "SPARC:SPARC_V7", "SPARC:SPARC_V8", "SPARC:SPARC_V9", "SPARC:SPARC_JPS1", "SPARC:UltraSPARC2005", "SPARC:UltraSPARC2007", "68k:68000", "68k:68010", "68k:68020", "68k:68030", "68k:68040", "68k:68060"], "operators": ["<or>"]},
      "ProcessorArchitecture": {"type": "string", "enum": ["x86", "IA-64", "AS/400", "Power", "S/390", "PA-RISC", "ARM", "MIPS", "Alpha", "SPARC", "68k"], "operators": ["<or>"]},
      "InstructionSetExtensionName": {"type": "array", "operators": ["<or>", "<all-in>"], "items": {"type": "string", "enum": ["x86:3DNow", "x86:3DNowExt", "x86:ABM", "x86:AES", "x86:AVX", "x86:AVX2", "x86:BMI", "x86:CX16", "x86:F16C", "x86:FSGSBASE", "x86:LWP", "x86:MMX", "x86:PCLMUL", "x86:RDRND", "x86:SSE2", "x86:SSE3", "x86:SSSE3", "x86:SSE4A", "x86:SSE41", "x86:SSE42", "x86:FMA3", "x86:FMA4", "x86:XOP", "x86:TBM", "x86:VT-d", "x86:VT-x", "x86:EPT", "x86:SVM", "PA-RISC:MAX", "PA-RISC:MAX2", "ARM:DSP", "ARM:Jazelle-DBX", "ARM:Thumb", "ARM:Thumb-2", "ARM:ThumbEE)", "ARM:VFP", "ARM:NEON", "ARM:TrustZone", "MIPS:MDMX", "MIPS:MIPS-3D", "Alpha:BWX", "Alpha:FIX", "Alpha:CIX", "Alpha:MVI"]}},
    },
    objects: {
    },
  },
  {
    namespace: "CIM::ResourceAllocationSettingData",
    protected: true,
    resourceTypes: [["OS::Cinder::Volume", "CIM_RASD_", "image"], ["OS::Nova::Aggregate", "CIM_RASD_", ""], ["OS::Nova::Flavor", "CIM_RASD_", ""]],
    properties: {
      "Address": {"type": "string"},
      "AddressOnParent": {"type": "string"},
      "AllocationUnits": {"type": "string"},
      "AutomaticAllocation": {"type": "boolean"},
      "AutomaticDeallocation": {"type": "boolean"},
      "ConsumerVisibility": {"type": "string", "enum": ["Unknown", "Passed-Through", "Virtualized", "Not represented", "DMTF reserved", "Vendor Reserved"], "operators": ["<or>"]},
      "Limit": {"type": "string"},
      "MappingBehavior": {"type": "string", "enum": ["Unknown", "Not Supported", "Dedicated", "Soft Affinity", "Hard Affinity", "DMTF Reserved", "Vendor Reserved"], "operators": ["<or>"]},
      "OtherResourceType": {"type": "string"},
      "Parent": {"type": "string"},
      "PoolID": {"type": "string"},
      "Reservation": {"type": "string"},
      "ResourceSubType": {"type": "string"},
      "ResourceType": {"type": "string", "enum": ["Other", "Computer System", "Processor", "Memory", "IDE Controller", "Parallel SCSI HBA", "FC HBA", "iSCSI HBA", "IB HCA", "Ethernet Adapter", "Other Network Adapter", "I/O Slot", "I/O Device", "Floppy Drive", "CD Drive", "DVD drive", "Disk Drive", "Tape Drive", "Storage Extent", "Other storage device", "Serial port", "Parallel port", "USB Controller", "Graphics controller", "IEEE 1394 Controller", "Partitionable Unit", "Base Partitionable Unit", "Power", "Cooling Capacity", "Ethernet Switch Port", "Logical Disk", "Storage Volume", "Ethernet Connection", "DMTF reserved", "Vendor Reserved"], "operators": ["<or>"]},
      "VirtualQuantity": {"type": "string"},
      "VirtualQuantityUnits": {"type": "string"},
      "Weight": {"type": "string"},
      "Connection": {"type": "string"},
      "HostResource": {"type": "string"},
    },
    objects: {
    },
  },
  {
    namespace: "CIM::StorageAllocationSettingData",
    protected: true,
    resourceTypes: [["OS::Cinder::Volume", "CIM_SASD_", ""], ["OS::Nova::Aggregate", "CIM_SASD_", ""], ["OS::Nova::Flavor", "CIM_SASD_", ""]],
    properties: {
      "Access": {"type": "string", "enum": ["Unknown", "Readable", "Writeable", "Read/Write Supported", "DMTF Reserved"], "operators": ["<or>"]},
      "HostExtentName": {"type": "string"},
      "HostExtentNameFormat": {"type": "string", "enum": ["Unknown", "Other", "SNVM", "NAA", "EUI64", "T10VID", "OS Device Name", "DMTF Reserved"], "operators": ["<or>"]},
      "HostExtentNameNamespace": {"type": "string", "enum": ["Unknown", "Other", "VPD83Type3", "VPD83Type2", "VPD83Type1", "VPD80", "NodeWWN", "SNVM", "OS Device Namespace", "DMTF Reserved"], "operators": ["<or>"]},
      "HostExtentStartingAddress": {"type": "string"},
      "HostResourceBlockSize": {"type": "string"},
      "Limit": {"type": "string"},
      "OtherHostExtentNameFormat": {"type": "string"},
      "OtherHostExtentNameNamespace": {"type": "string"},
      "Reservation": {"type": "string"},
      "VirtualQuantity": {"type": "string"},
      "VirtualQuantityUnits": {"type": "string"},
      "VirtualResourceBlockSize": {"type": "string"},
    },
    objects: {
    },
  },
  {
    namespace: "CIM::VirtualSystemSettingData",
    protected: true,
    resourceTypes: [["OS::Nova::Aggregate", "CIM_VSSD_", ""], ["OS::Nova::Flavor", "CIM_VSSD_", ""]],
    properties: {
      "AutomaticRecoveryAction": {"type": "string", "enum": ["None", "Restart", "Revert to snapshot", "DMTF Reserved"], "operators": ["<or>"]},
      "AutomaticShutdownAction": {"type": "string", "enum": ["Turn Off", "Save state", "Shutdown", "DMTF Reserved"], "operators": ["<or>"]},
      "AutomaticStartupAction": {"type": "string", "enum": ["None", "Restart if previously active", "Always startup", "DMTF Reserved"], "operators": ["<or>"]},
      "AutomaticStartupActionDelay": {"type": "string"},
      "AutomaticStartupActionSequenceNumber": {"type": "string"},
      "ConfigurationDataRoot": {"type": "string"},
      "ConfigurationFile": {"type": "string"},
      "ConfigurationID": {"type": "string"},
      "CreationTime": {"type": "string"},
      "LogDataRoot": {"type": "string"},
      "RecoveryFile": {"type": "string"},
      "SnapshotDataRoot": {"type": "string"},
      "SuspendDataRoot": {"type": "string"},
      "SwapFileDataRoot": {"type": "string"},
      "VirtualSystemIdentifier": {"type": "string"},
      "VirtualSystemType": {"type": "string"},
      "Notes": {"type": "string"},
    },
    objects: {
    },
  },
  {
    namespace: "OS::Compute::AggregateDiskFilter",
    protected: true,
    resourceTypes: [["OS::Nova::Aggregate", "", ""]],
    properties: {
      "disk_allocation_ratio": {"type": "number", "readonly": false},
    },
    objects: {
    },
  },
  {
    namespace: "OS::Compute::AggregateIoOpsFilter",
    protected: true,
    resourceTypes: [["OS::Nova::Aggregate", "", ""]],
    properties: {
      "max_io_ops_per_host": {"type": "integer", "default": 8, "minimum": 1, "readonly": false},
    },
    objects: {
    },
  },
  {
    namespace: "OS::Compute::AggregateNumInstancesFilter",
    protected: false,
    resourceTypes: [["OS::Nova::Aggregate", "", ""]],
    properties: {
      "max_instances_per_host": {"type": "integer", "minimum": 0, "readonly": false},
    },
    objects: {
    },
  },
  {
    namespace: "OS::Compute::CPUMode",
    protected: false,
    resourceTypes: [["OS::Glance::Image", "hw_", ""], ["OS::Nova::Flavor", "hw:", ""]],
    properties: {
      "cpu_mode": {"type": "string", "enum": ["none", "host-model", "host-passthrough", "custom"]},
    },
    objects: {
    },
  },
  {
    namespace: "OS::Compute::CPUPinning",
    protected: true,
    resourceTypes: [["OS::Glance::Image", "hw_", ""], ["OS::Cinder::Volume", "hw_", "image"], ["OS::Nova::Flavor", "hw:", ""]],
    properties: {
      "cpu_policy": {"type": "string", "enum": ["shared", "dedicated"]},
      "cpu_thread_policy": {"type": "string", "enum": ["isolate", "prefer", "require"]},
    },
    objects: {
    },
  },
  {
    namespace: "OS::Compute::GuestMemoryBacking",
    protected: true,
    resourceTypes: [["OS::Nova::Flavor", "hw:", ""], ["OS::Glance::Image", "hw_", ""], ["OS::Cinder::Volume", "hw_", "image"]],
    properties: {
      "mem_page_size": {"type": "string"},
    },
    objects: {
    },
  },
  {
    namespace: "OS::Compute::GuestShutdownBehavior",
    protected: true,
    resourceTypes: [["OS::Glance::Image", "", ""]],
    properties: {
      "os_shutdown_timeout": {"type": "integer", "minimum": 0},
    },
    objects: {
    },
  },
  {
    namespace: "OS::Compute::HostCapabilities",
    protected: true,
    resourceTypes: [["OS::Nova::Flavor", "capabilities:", ""], ["OS::Nova::Aggregate", "aggregate_instance_extra_specs:", ""]],
    properties: {
      "cpu_info:vendor": {"type": "string", "enum": ["Intel", "AMD"], "operators": ["<or>"]},
      "cpu_info:model": {"type": "string", "enum": ["Conroe", "Core2Duo", "Penryn", "Nehalem", "Westmere", "SandyBridge", "IvyBridge", "Haswell", "Broadwell", "Delhi", "Seoul", "Abu Dhabi", "Interlagos", "Kabini", "Valencia", "Zurich", "Budapest", "Barcelona", "Suzuka", "Shanghai", "Istanbul", "Lisbon", "Magny-Cours", "Valencia", "Cortex-A57", "Cortex-A53", "Cortex-A12", "Cortex-A17", "Cortex-A15", "Coretx-A7", "X-Gene"], "operators": ["<or>"]},
      "cpu_info:arch": {"type": "string", "enum": ["x86", "x86_64", "i686", "ia64", "ARMv8-A", "ARMv7-A"], "operators": ["<or>"]},
      "cpu_info:topology:cores": {"type": "integer", "default": 1, "readonly": false},
      "cpu_info:topology:threads": {"type": "integer", "default": 1, "readonly": false},
      "cpu_info:topology:sockets": {"type": "integer", "default": 1, "readonly": false},
      "cpu_info:features": {"type": "array", "operators": ["<or>", "<all-in>"], "items": {"type": "string", "enum": ["fpu", "vme", "de", "pse", "tsc", "msr", "pae", "mce", "cx8", "apic", "sep", "mtrr", "pge", "mca", "cmov", "pat", "pse36", "pn", "clflush", "dts", "acpi", "mmx", "fxsr", "sse", "sse2", "ss", "ht", "tm", "ia64", "pbe", "syscall", "mp", "nx", "mmxext", "fxsr_opt", "pdpe1gb", "rdtscp", "lm", "3dnowext", "3dnow", "arch_perfmon", "pebs", "bts", "rep_good", "nopl", "xtopology", "tsc_reliable", "nonstop_tsc", "extd_apicid", "amd_dcm", "aperfmperf", "eagerfpu", "nonstop_tsc_s3", "pni", "pclmulqdq", "dtes64", "monitor", "ds_cpl", "vmx", "smx", "est", "tm2", "ssse3", "cid", "fma", "cx16", "xtpr", "pdcm", "pcid", "dca", "sse4_1", "sse4_2", "x2apic", "movbe", "popcnt", "tsc_deadline_timer", "aes", "xsave", "avx", "f16c", "rdrand", "hypervisor", "rng", "rng_en", "ace", "ace_en", "ace2", "ace2_en", "phe", "phe_en", "pmm", "pmm_en", "lahf_lm", "cmp_legacy", "svm", "extapic", "cr8_legacy", "abm", "sse4a", "misalignsse", "3dnowprefetch", "osvw", "ibs", "xop", "skinit", "wdt", "lwp", "fma4", "tce", "nodeid_msr", "tbm", "topoext", "perfctr_core", "perfctr_nb", "bpext", "perfctr_l2", "mwaitx", "ida", "arat", "cpb", "epb", "pln", "pts", "dtherm", "hw_pstate", "proc_feedback", "hwp", "hwp_notify", "hwp_act_window", "hwp_epp", "hwp_pkg_req", "intel_pt", "tpr_shadow", "vnmi", "flexpriority", "ept", "vpid", "npt", "lbrv", "svm_lock", "nrip_save", "tsc_scale", "vmcb_clean", "flushbyasid", "decodeassists", "pausefilter", "pfthreshold", "vmmcall", "fsgsbase", "tsc_adjust", "bmi1", "hle", "avx2", "smep", "bmi2", "erms", "invpcid", "rtm", "cqm", "mpx", "avx512f", "rdseed", "adx", "smap", "pcommit", "clflushopt", "clwb", "avx512pf", "avx512er", "avx512cd", "sha_ni", "xsaveopt", "xsavec", "xgetbv1", "xsaves", "cqm_llc", "cqm_occup_llc", "clzero"]}},
    },
    objects: {
    },
  },
  {
    namespace: "OS::Compute::Hypervisor",
    protected: true,
    resourceTypes: [["OS::Glance::Image", "", ""]],
    properties: {
      "hypervisor_type": {"type": "string", "enum": ["baremetal", "hyperv", "kvm", "lxc", "powervm", "qemu", "uml", "vmware", "vz", "xen"]},
      "vm_mode": {"type": "string", "enum": ["hvm", "xen", "uml", "exe"]},
    },
    objects: {
    },
  },
  {
    namespace: "OS::Compute::InstanceData",
    protected: true,
    resourceTypes: [["OS::Glance::Image", "", ""], ["OS::Cinder::Volume", "", "image"]],
    properties: {
      "img_config_drive": {"type": "string", "enum": ["optional", "mandatory"]},
      "os_require_quiesce": {"type": "string", "enum": ["yes", "no"]},
    },
    objects: {
    },
  },
  {
    namespace: "OS::Compute::LibvirtImage",
    protected: true,
    resourceTypes: [["OS::Glance::Image", "", ""]],
    properties: {
      "hw_cdrom_bus": {"type": "string", "enum": ["scsi", "virtio", "uml", "xen", "ide", "usb", "fdc", "sata", "lxc"]},
      "hw_disk_bus": {"type": "string", "enum": ["scsi", "virtio", "uml", "xen", "ide", "usb", "fdc", "sata", "lxc"]},
      "hw_firmware_type": {"type": "string", "enum": ["bios", "uefi"]},
      "hw_rng_model": {"type": "string", "default": "virtio"},
      "hw_machine_type": {"type": "string"},
      "hw_scsi_model": {"type": "string", "default": "virtio-scsi"},
      "hw_video_model": {"type": "string", "enum": ["vga", "cirrus", "vmvga", "xen", "qxl", "virtio", "gop", "none", "bochs"]},
      "hw_video_ram": {"type": "integer", "minimum": 0},
      "os_command_line": {"type": "string"},
      "os_type": {"type": "string", "enum": ["linux", "windows"]},
      "hw_vif_model": {"type": "string", "enum": ["e1000", "e1000e", "ne2k_pci", "netfront", "pcnet", "rtl8139", "spapr-vlan", "virtio", "vmxnet3"]},
      "hw_vif_multiqueue_enabled": {"type": "string", "enum": ["true", "false"]},
      "hw_pmu": {"type": "string", "enum": ["true", "false"]},
      "hw_qemu_guest_agent": {"type": "string", "enum": ["yes", "no"]},
      "hw_pointer_model": {"type": "string", "enum": ["usbtablet"]},
      "img_hide_hypervisor_id": {"type": "string", "enum": ["yes", "no"]},
    },
    objects: {
    },
  },
  {
    namespace: "OS::Compute::Libvirt",
    protected: true,
    resourceTypes: [["OS::Glance::Image", "hw_", ""], ["OS::Nova::Flavor", "hw:", ""]],
    properties: {
      "serial_port_count": {"type": "integer", "minimum": 0},
      "boot_menu": {"type": "string", "enum": ["true", "false"]},
      "mem_encryption": {"type": "string", "enum": ["true", "false"]},
    },
    objects: {
    },
  },
  {
    namespace: "OS::Compute::Quota",
    protected: true,
    resourceTypes: [["OS::Nova::Flavor", "", ""]],
    properties: {
    },
    objects: {
      "CPU Limits": {
        "quota:cpu_shares": {"type": "integer"},
        "quota:cpu_period": {"type": "integer", "minimum": 1000, "maximum": 1000000},
        "quota:cpu_quota": {"type": "integer"},
      },
      "Disk QoS": {
        "quota:disk_read_bytes_sec": {"type": "integer"},
        "quota:disk_read_iops_sec": {"type": "integer"},
        "quota:disk_write_bytes_sec": {"type": "integer"},
        "quota:disk_write_iops_sec": {"type": "integer"},
        "quota:disk_total_bytes_sec": {"type": "integer"},
        "quota:disk_total_iops_sec": {"type": "integer"},
      },
      "Virtual Interface QoS": {
        "quota:vif_inbound_average": {"type": "integer"},
        "quota:vif_inbound_burst": {"type": "integer"},
        "quota:vif_inbound_peak": {"type": "integer"},
        "quota:vif_outbound_average": {"type": "integer"},
        "quota:vif_outbound_burst": {"type": "integer"},
        "quota:vif_outbound_peak": {"type": "integer"},
      },
    },
  },
  {
    namespace: "OS::Compute::RandomNumberGenerator",
    protected: true,
    resourceTypes: [["OS::Nova::Flavor", "", ""]],
    properties: {
      "hw_rng:allowed": {"type": "boolean"},
      "hw_rng:rate_bytes": {"type": "integer"},
      "hw_rng:rate_period": {"type": "integer"},
    },
    objects: {
    },
  },
  {
    namespace: "OS::Compute::VirtCPUTopology",
    protected: true,
    resourceTypes: [["OS::Glance::Image", "hw_", ""], ["OS::Cinder::Volume", "hw_", "image"], ["OS::Nova::Flavor", "hw:", ""]],
    properties: {
      "cpu_sockets": {"type": "integer"},
      "cpu_cores": {"type": "integer"},
      "cpu_threads": {"type": "integer"},
      "cpu_max_sockets": {"type": "integer"},
      "cpu_max_cores": {"type": "integer"},
      "cpu_max_threads": {"type": "integer"},
    },
    objects: {
    },
  },
  {
    namespace: "OS::Compute::VMwareFlavor",
    protected: true,
    resourceTypes: [["OS::Nova::Flavor", "", ""]],
    properties: {
      "vmware:hw_version": {"type": "string", "enum": ["vmx-13", "vmx-11", "vmx-10", "vmx-09", "vmx-08", "vmx-07", "vmx-04", "vmx-03"]},
      "vmware:storage_policy": {"type": "string"},
    },
    objects: {
    },
  },
  {
    namespace: "OS::Compute::VMwareQuotaFlavor",
    protected: true,
    resourceTypes: [["OS::Nova::Flavor", "", ""]],
    properties: {
      "quota:cpu_limit": {"type": "integer", "minimum": 0},
      "quota:cpu_reservation": {"type": "integer", "minimum": 0},
    },
    objects: {
    },
  },
  {
    namespace: "OS::Compute::VMware",
    protected: true,
    resourceTypes: [["OS::Glance::Image", "", ""]],
    properties: {
      "img_linked_clone": {"type": "boolean"},
      "vmware_adaptertype": {"type": "string", "enum": ["lsiLogic", "lsiLogicsas", "paraVirtual", "busLogic", "ide"], "default": "lsiLogic"},
      "vmware_disktype": {"type": "string", "enum": ["streamOptimized", "sparse", "preallocated"], "default": "preallocated"},
      "vmware_ostype": {"type": "string", "enum": ["asianux3_64Guest", "asianux3Guest", "asianux4_64Guest", "asianux4Guest", "asianux5_64Guest", "asianux7_64Guest", "centos64Guest", "centosGuest", "centos6Guest", "centos6_64Guest", "centos7_64Guest", "coreos64Guest", "darwin10_64Guest", "darwin10Guest", "darwin11_64Guest", "darwin11Guest", "darwin12_64Guest", "darwin13_64Guest", "darwin14_64Guest", "darwin15_64Guest", "darwin16_64Guest", "darwin64Guest", "darwinGuest", "debian4_64Guest", "debian4Guest", "debian5_64Guest", "debian5Guest", "debian6_64Guest", "debian6Guest", "debian7_64Guest", "debian7Guest", "debian8_64Guest", "debian8Guest", "debian9_64Guest", "debian9Guest", "debian10_64Guest", "debian10Guest", "dosGuest", "eComStation2Guest", "eComStationGuest", "fedora64Guest", "fedoraGuest", "freebsd64Guest", "freebsdGuest", "genericLinuxGuest", "mandrakeGuest", "mandriva64Guest", "mandrivaGuest", "netware4Guest", "netware5Guest", "netware6Guest", "nld9Guest", "oesGuest", "openServer5Guest", "openServer6Guest", "opensuse64Guest", "opensuseGuest", "oracleLinux64Guest", "oracleLinuxGuest", "oracleLinux6Guest", "oracleLinux6_64Guest", "oracleLinux7_64Guest", "os2Guest", "other24xLinux64Guest", "other24xLinuxGuest", "other26xLinux64Guest", "other26xLinuxGuest", "other3xLinux64Guest", "other3xLinuxGuest", "otherGuest", "otherGuest64", "otherLinux64Guest", "otherLinuxGuest", "redhatGuest", "rhel2Guest", "rhel3_64Guest", "rhel3Guest", "rhel4_64Guest", "rhel4Guest", "rhel5_64Guest", "rhel5Guest", "rhel6_64Guest", "rhel6Guest", "rhel7_64Guest", "rhel7Guest", "sjdsGuest", "sles10_64Guest", "sles10Guest", "sles11_64Guest", "sles11Guest", "sles12_64Guest", "sles12Guest", "sles64Guest", "slesGuest", "solaris10_64Guest", "solaris10Guest", "solaris11_64Guest", "solaris6Guest", "solaris7Guest", "solaris8Guest", "solaris9Guest", "turboLinux64Guest", "turboLinuxGuest", "ubuntu64Guest", "ubuntuGuest", "unixWare7Guest", "vmkernel5Guest", "vmkernel6Guest", "vmkernel65Guest", "vmkernelGuest", "vmwarePhoton64Guest", "win2000AdvServGuest", "win2000ProGuest", "win2000ServGuest", "win31Guest", "win95Guest", "win98Guest", "windows7_64Guest", "windows7Guest", "windows7Server64Guest", "windows8_64Guest", "windows8Guest", "windows8Server64Guest", "windows9_64Guest", "windows9Guest", "windows9Server64Guest", "windowsHyperVGuest", "winLonghorn64Guest", "winLonghornGuest", "winMeGuest", "winNetBusinessGuest", "winNetDatacenter64Guest", "winNetDatacenterGuest", "winNetEnterprise64Guest", "winNetEnterpriseGuest", "winNetStandard64Guest", "winNetStandardGuest", "winNetWebGuest", "winNTGuest", "winVista64Guest", "winVistaGuest", "winXPHomeGuest", "winXPPro64Guest", "winXPProGuest"], "default": "otherGuest"},
      "hw_vif_model": {"type": "string", "enum": ["e1000", "e1000e", "VirtualE1000", "VirtualE1000e", "VirtualPCNet32", "VirtualSriovEthernetCard", "VirtualVmxnet", "VirtualVmxnet3"], "default": "e1000"},
      "hw_vif_multiqueue_enabled": {"type": "string", "enum": ["true", "false"]},
    },
    objects: {
    },
  },
  {
    namespace: "OS::Compute::TPM",
    protected: true,
    resourceTypes: [["OS::Nova::Flavor", "hw:", ""], ["OS::Glance::Image", "hw_", ""]],
    properties: {
      "tpm_model": {"type": "string", "enum": ["TIS", "CRB"], "default": "TIS", "operators": ["<or>"]},
    },
    objects: {
    },
  },
  {
    namespace: "OS::Compute::VTPM",
    protected: true,
    resourceTypes: [["OS::Nova::Flavor", "traits:", ""], ["OS::Glance::Image", "traits:", ""]],
    properties: {
      "COMPUTE_SECURITY_TPM_1_2": {"type": "string", "enum": ["required"], "default": "required"},
      "COMPUTE_SECURITY_TPM_2_0": {"type": "string", "enum": ["required"], "default": "required"},
    },
    objects: {
    },
  },
  {
    namespace: "OS::Compute::Watchdog",
    protected: true,
    resourceTypes: [["OS::Glance::Image", "hw_", ""], ["OS::Cinder::Volume", "hw_", "image"], ["OS::Nova::Flavor", "hw:", ""]],
    properties: {
      "watchdog_action": {"type": "string", "enum": ["disabled", "reset", "poweroff", "pause", "none"]},
    },
    objects: {
    },
  },
  {
    namespace: "OS::Compute::XenAPI",
    protected: true,
    resourceTypes: [["OS::Glance::Image", "", ""]],
    properties: {
      "auto_disk_config": {"type": "boolean"},
    },
    objects: {
    },
  },
  {
    namespace: "OS::Glance::CommonImageProperties",
    protected: true,
    resourceTypes: [],
    properties: {
      "kernel_id": {"type": "string", "pattern": "^([0-9a-fA-F]){8}-([0-9a-fA-F]){4}-([0-9a-fA-F]){4}-([0-9a-fA-F]){4}-([0-9a-fA-F]){12}$"},
      "ramdisk_id": {"type": "string", "pattern": "^([0-9a-fA-F]){8}-([0-9a-fA-F]){4}-([0-9a-fA-F]){4}-([0-9a-fA-F]){4}-([0-9a-fA-F]){12}$"},
      "instance_uuid": {"type": "string"},
      "architecture": {"type": "string"},
      "os_distro": {"type": "string"},
      "hw_cpu_mode": {"type": "string"},
      "os_version": {"type": "string"},
      "description": {"type": "string"},
      "cinder_encryption_key_id": {"type": "string"},
      "cinder_encryption_key_deletion_policy": {"type": "string", "enum": ["on_image_deletion", "do_not_delete"]},
    },
    objects: {
    },
  },
  {
    namespace: "OS::Glance::Signatures",
    protected: false,
    resourceTypes: [["OS::Glance::Image", "", ""]],
    properties: {
      "img_signature": {"type": "string"},
      "img_signature_certificate_uuid": {"type": "string"},
      "img_signature_hash_method": {"type": "string", "enum": ["SHA-224", "SHA-256", "SHA-384", "SHA-512"]},
      "img_signature_key_type": {"type": "string", "enum": ["RSA-PSS", "DSA", "ECC_SECT571K1", "ECC_SECT409K1", "ECC_SECT571R1", "ECC_SECT409R1", "ECC_SECP521R1", "ECC_SECP384R1"]},
    },
    objects: {
    },
  },
  {
    namespace: "OS::OperatingSystem",
    protected: true,
    resourceTypes: [["OS::Glance::Image", "", ""], ["OS::Cinder::Volume", "", "image"]],
    properties: {
      "os_distro": {"type": "string"},
      "os_version": {"type": "string"},
      "os_admin_user": {"type": "string"},
    },
    objects: {
    },
  },
  {
    namespace: "OS::Software::DBMS",
    protected: true,
    resourceTypes: [["OS::Glance::Image", "", ""], ["OS::Cinder::Volume", "", "image"], ["OS::Nova::Server", "", "metadata"], ["OS::Trove::Instance", "", ""]],
    properties: {
    },
    objects: {
      "MySQL": {
        "sw_database_mysql_version": {"type": "string"},
        "sw_database_mysql_listen_port": {"type": "integer", "default": 3606, "minimum": 1, "maximum": 65535},
        "sw_database_mysql_admin": {"type": "string", "default": "root"},
      },
      "PostgreSQL": {
        "sw_database_postgresql_version": {"type": "string"},
        "sw_database_postgresql_listen_port": {"type": "integer", "default": 5432, "minimum": 1, "maximum": 65535},
        "sw_database_postgresql_admin": {"type": "string", "default": "postgres"},
      },
      "SQL Server": {
        "sw_database_sqlserver_version": {"type": "string"},
        "sw_database_sqlserver_edition": {"type": "string", "enum": ["Datacenter", "Enterprise", "Standard", "Web", "Business Intelligence", "Workgroup", "Express", "Compact (SQL CE)", "Developer", "Embedded (SSEE)", "Express", "Fast Track", "LocalDB", "Parallel Data Warehouse (PDW)", "Business Intelligence", "Datawarehouse Appliance Edition"], "default": "Express"},
        "sw_database_sqlserver_listen_port": {"type": "integer", "default": 1433, "minimum": 1, "maximum": 65535},
        "sw_database_postsqlserver_admin": {"type": "string", "default": "sa"},
      },
      "Oracle": {
        "sw_database_oracle_version": {"type": "string"},
        "sw_database_oracle_edition": {"type": "string", "enum": ["Enterprise", "Standard", "Standard Edition One", "Express (XE)", "Workgroup", "Lite"], "default": "Express"},
        "sw_database_oracle_listen_port": {"type": "integer", "default": 1521, "minimum": 1, "maximum": 65535},
      },
      "DB2": {
        "sw_database_db2_version": {"type": "string"},
        "sw_database_db2_port": {"type": "integer", "default": 5432, "minimum": 1, "maximum": 65535},
        "sw_database_db2_admin": {"type": "string"},
      },
      "MongoDB": {
        "sw_database_mongodb_version": {"type": "string"},
        "sw_database_mongodb_listen_port": {"type": "integer", "default": 27017, "minimum": 1, "maximum": 65535},
        "sw_database_mongodb_admin": {"type": "string"},
      },
      "Couchbase Server": {
        "sw_database_couchbaseserver_version": {"type": "string"},
        "sw_database_couchbaseserver_listen_port": {"type": "integer", "default": 11211, "minimum": 1, "maximum": 65535},
        "sw_database_couchbaseserver_admin": {"type": "string", "default": "admin"},
      },
      "Redis": {
        "sw_database_redis_version": {"type": "string"},
        "sw_database_redis_listen_port": {"type": "integer", "default": 6379, "minimum": 1, "maximum": 65535},
        "sw_database_redis_admin": {"type": "string", "default": "admin"},
      },
      "CouchDB": {
        "sw_database_couchdb_version": {"type": "string"},
        "sw_database_couchdb_listen_port": {"type": "integer", "default": 5984, "minimum": 1, "maximum": 65535},
        "sw_database_couchdb_admin": {"type": "string"},
      },
      "Apache Cassandra": {
        "sw_database_cassandra_version": {"type": "string"},
        "sw_database_cassandra_listen_port": {"type": "integer", "default": 9160, "minimum": 1, "maximum": 65535},
        "sw_database_cassandra_admin": {"type": "string", "default": "cassandra"},
      },
      "HBase": {
        "sw_database_hbase_version": {"type": "string"},
      },
      "Hazlecast": {
        "sw_database_hazlecast_version": {"type": "string"},
        "sw_database_hazlecast_port": {"type": "integer", "default": 5701, "minimum": 1, "maximum": 65535},
      },
    },
  },
  {
    namespace: "OS::Software::Runtimes",
    protected: true,
    resourceTypes: [["OS::Glance::Image", "", ""], ["OS::Cinder::Volume", "", "image"], ["OS::Nova::Server", "", "metadata"]],
    properties: {
    },
    objects: {
      "PHP": {
        "sw_runtime_php_version": {"type": "string"},
      },
      "Python": {
        "sw_runtime_python_version": {"type": "string"},
      },
      "Java": {
        "sw_runtime_java_version": {"type": "string"},
      },
      "Ruby": {
        "sw_runtime_ruby_version": {"type": "string"},
      },
      "Perl": {
        "sw_runtime_perl_version": {"type": "string"},
      },
    },
  },
  {
    namespace: "OS::Software::WebServers",
    protected: true,
    resourceTypes: [["OS::Glance::Image", "", ""], ["OS::Cinder::Volume", "", "image"], ["OS::Nova::Server", "", "metadata"]],
    properties: {
    },
    objects: {
      "Apache HTTP Server": {
        "sw_webserver_apache_version": {"type": "string"},
        "sw_webserver_apache_http_port": {"type": "integer", "default": 80, "minimum": 1, "maximum": 65535},
        "sw_webserver_apache_https_port": {"type": "integer", "default": 443, "minimum": 1, "maximum": 65535},
      },
      "Nginx": {
        "sw_webserver_nginx_version": {"type": "string"},
        "sw_webserver_nginx_http_port": {"type": "integer", "default": 80, "minimum": 1, "maximum": 65535},
        "sw_webserver_nginx_https_port": {"type": "integer", "default": 443, "minimum": 1, "maximum": 65535},
      },
      "IIS": {
        "sw_webserver_iis_version": {"type": "string"},
        "sw_webserver_iis_http_port": {"type": "integer", "default": 80, "minimum": 1, "maximum": 65535},
        "sw_webserver_iis_https_port": {"type": "integer", "default": 443, "minimum": 1, "maximum": 65535},
      },
    },
  },
  {
    namespace: "OS::Cinder::Volumetype",
    protected: true,
    resourceTypes: [["OS::Glance::Image", "cinder_", ""]],
    properties: {
      "img_volume_type": {"type": "string"},
    },
    objects: {
    },
  },
]
