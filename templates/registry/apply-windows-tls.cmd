---
title: Turn on TLS 1.2 and strong cryptography, with the old values saved first
requirements: [REG-3, REG-4, REG-5, TLS-13, TLS-14, HARD-7, DEF-61, DEF-103, STEP-14]
scope: server
path: registry/apply-windows-tls.cmd
format: cmd
effect: run_script
phase: registry
order: 60
rollback: registry/rollback-windows-tls.cmd
runbook:
  before:
    - 'SQL Server and every driver of this server already speak TLS 1.2.'
    - 'A restart of Windows fits into the change window: the values count after the restart, which is a phase of its own.'
  do:
    - 'Run `servers\{{ server.name }}\registry\apply-windows-tls.cmd`.'
  check:
    - 'The script ends with `All values are in place`.'
  undo:
    - 'Run `servers\{{ server.name }}\registry\rollback-windows-tls.cmd`, then restart Windows.'
---
{% set script_title = "Turn on TLS 1.2 and strong cryptography, with the old values saved first" -%}
{% set script_machine = server.name -%}
{% set script_advice = "Correct the cause and run this script again, or run servers\\" ~ server.name ~ "\\registry\\rollback-windows-tls.cmd to go back." -%}
{% set state_name = "windows-tls" -%}
{% set files = ["strong-crypto.reg", "tls-1.2.reg"] -%}
{% set values = [
  ["HKLM\\SOFTWARE\\Microsoft\\.NETFramework\\v4.0.30319", "SchUseStrongCrypto", "REG_DWORD", "0x1"],
  ["HKLM\\SOFTWARE\\Microsoft\\.NETFramework\\v4.0.30319", "SystemDefaultTlsVersions", "REG_DWORD", "0x1"],
  ["HKLM\\SOFTWARE\\WOW6432Node\\Microsoft\\.NETFramework\\v4.0.30319", "SchUseStrongCrypto", "REG_DWORD", "0x1"],
  ["HKLM\\SOFTWARE\\WOW6432Node\\Microsoft\\.NETFramework\\v4.0.30319", "SystemDefaultTlsVersions", "REG_DWORD", "0x1"],
  ["HKLM\\SOFTWARE\\Microsoft\\.NETFramework\\v2.0.50727", "SchUseStrongCrypto", "REG_DWORD", "0x1"],
  ["HKLM\\SOFTWARE\\Microsoft\\.NETFramework\\v2.0.50727", "SystemDefaultTlsVersions", "REG_DWORD", "0x1"],
  ["HKLM\\SOFTWARE\\WOW6432Node\\Microsoft\\.NETFramework\\v2.0.50727", "SchUseStrongCrypto", "REG_DWORD", "0x1"],
  ["HKLM\\SOFTWARE\\WOW6432Node\\Microsoft\\.NETFramework\\v2.0.50727", "SystemDefaultTlsVersions", "REG_DWORD", "0x1"],
  ["HKLM\\SYSTEM\\CurrentControlSet\\Control\\SecurityProviders\\SCHANNEL\\Protocols\\TLS 1.2\\Client", "Enabled", "REG_DWORD", "0x1"],
  ["HKLM\\SYSTEM\\CurrentControlSet\\Control\\SecurityProviders\\SCHANNEL\\Protocols\\TLS 1.2\\Client", "DisabledByDefault", "REG_DWORD", "0x0"],
  ["HKLM\\SYSTEM\\CurrentControlSet\\Control\\SecurityProviders\\SCHANNEL\\Protocols\\TLS 1.2\\Server", "Enabled", "REG_DWORD", "0x1"],
  ["HKLM\\SYSTEM\\CurrentControlSet\\Control\\SecurityProviders\\SCHANNEL\\Protocols\\TLS 1.2\\Server", "DisabledByDefault", "REG_DWORD", "0x0"]
] -%}
{% include "registry/_registry/apply" %}
