@echo off
setlocal EnableExtensions DisableDelayedExpansion
rem Adds the firewall rules of this server
rem Made by cbgen for CORE02, bundle acme-prod 2026.12.1. Change the inventory, not this file.
rem Exit code 0: every step was done and checked. Anything else: the named step failed and nothing after it ran.
set "SYSTEM=%SystemRoot%\System32"
rem A 32-bit console would reach the 32-bit programs and registry; Sysnative is its way to the native ones.
if exist "%SystemRoot%\Sysnative\cmd.exe" set "SYSTEM=%SystemRoot%\Sysnative"
set "STEP=check administrator rights"
rem Asks the filter manager, which answers administrators only. Without an answer Windows says whether rights are the reason.
"%SYSTEM%\fltmc.exe" >nul 2>&1
if "%errorlevel%"=="0" goto :elevated
"%SYSTEM%\WindowsPowerShell\v1.0\powershell.exe" -NoProfile -NonInteractive -Command "$me = New-Object Security.Principal.WindowsPrincipal ([Security.Principal.WindowsIdentity]::GetCurrent()); if ($me.IsInRole([Security.Principal.WindowsBuiltInRole]::Administrator)) { exit 0 }; exit 3"
if "%errorlevel%"=="0" goto :elevated
if "%errorlevel%"=="3" goto :not_elevated
echo Neither the filter manager nor PowerShell answers, so nobody knows whether this command prompt has the rights of an administrator.
goto :fail
:not_elevated
echo Start the command prompt with Run as administrator, then run this script again.
goto :fail
:elevated

set "STEP=check that this is CORE02"
if /i "%COMPUTERNAME%"=="CORE02" goto :right_server
echo This script was made for CORE02; this is %COMPUTERNAME%. Use the folder of this server.
goto :fail
:right_server

set "NETSH=%SYSTEM%\netsh.exe"
set "STEP=see that the firewall is on and takes rules of this server"
rem What is in force, with the policies of the domain: rules of this server do nothing where the firewall is off, or where a
rem policy ignores them. By numbers, whatever the language.
"%SYSTEM%\WindowsPowerShell\v1.0\powershell.exe" -NoProfile -NonInteractive -Command "foreach ($p in Get-NetFirewallProfile -PolicyStore ActiveStore -ErrorAction Stop) { if ([int]$p.Enabled -ne 1) { exit 3 }; if ([int]$p.AllowLocalFirewallRules -eq 0) { exit 4 } }; exit 0"
if "%errorlevel%"=="3" goto :firewall_off
if "%errorlevel%"=="4" goto :policy
if not "%errorlevel%"=="0" goto :fail
set "STEP=see that the firewall answers"
rem Without its service every question fails, as if no rule were there.
"%NETSH%" advfirewall show currentprofile >nul
if not "%errorlevel%"=="0" goto :fail
set "STEP=create the folder for saved state"
set "STATE=%ProgramData%\cbgen\acme-prod\2026.12.1\firewall"
if exist "%STATE%\." goto :state_ready
mkdir "%STATE%"
if not "%errorlevel%"=="0" goto :fail
:state_ready

set "PEERS="
set "STEP=find the addresses of CORE01"
"%SYSTEM%\WindowsPowerShell\v1.0\powershell.exe" -NoProfile -NonInteractive -Command "[Net.Dns]::GetHostAddresses('core01.acme.example') | Where-Object { -not $_.IsIPv6LinkLocal } | ForEach-Object { $_.IPAddressToString }" >"%STATE%\addresses.txt"
if not "%errorlevel%"=="0" goto :no_address
set "FOUND="
for /f "usebackq" %%A in ("%STATE%\addresses.txt") do call :peer "%%A"
if not defined FOUND goto :no_address
set "STEP=find the addresses of CORE02"
"%SYSTEM%\WindowsPowerShell\v1.0\powershell.exe" -NoProfile -NonInteractive -Command "[Net.Dns]::GetHostAddresses('core02.acme.example') | Where-Object { -not $_.IsIPv6LinkLocal } | ForEach-Object { $_.IPAddressToString }" >"%STATE%\addresses.txt"
if not "%errorlevel%"=="0" goto :no_address
set "FOUND="
for /f "usebackq" %%A in ("%STATE%\addresses.txt") do call :peer "%%A"
if not defined FOUND goto :no_address
set "STEP=find the addresses of MGMT01"
"%SYSTEM%\WindowsPowerShell\v1.0\powershell.exe" -NoProfile -NonInteractive -Command "[Net.Dns]::GetHostAddresses('mgmt01.acme.example') | Where-Object { -not $_.IsIPv6LinkLocal } | ForEach-Object { $_.IPAddressToString }" >"%STATE%\addresses.txt"
if not "%errorlevel%"=="0" goto :no_address
set "FOUND="
for /f "usebackq" %%A in ("%STATE%\addresses.txt") do call :peer "%%A"
if not defined FOUND goto :no_address
set "STEP=find the addresses of MGMT02"
"%SYSTEM%\WindowsPowerShell\v1.0\powershell.exe" -NoProfile -NonInteractive -Command "[Net.Dns]::GetHostAddresses('mgmt02.acme.example') | Where-Object { -not $_.IsIPv6LinkLocal } | ForEach-Object { $_.IPAddressToString }" >"%STATE%\addresses.txt"
if not "%errorlevel%"=="0" goto :no_address
set "FOUND="
for /f "usebackq" %%A in ("%STATE%\addresses.txt") do call :peer "%%A"
if not defined FOUND goto :no_address
echo Ports between Callback servers open for: %PEERS%

rem between Queue Manager and the web services
set "STEP=allow port 2136 for Message Bus"
"%NETSH%" advfirewall firewall show rule name="cbgen acme-prod allow 2136 Message Bus" >nul
if not "%errorlevel%"=="0" goto :new_2
"%NETSH%" advfirewall firewall delete rule name="cbgen acme-prod allow 2136 Message Bus" >nul
if not "%errorlevel%"=="0" goto :fail
:new_2
"%NETSH%" advfirewall firewall add rule name="cbgen acme-prod allow 2136 Message Bus" dir=in action=allow enable=yes profile=any protocol=TCP localport=2136 "remoteip=%PEERS%" >nul
if not "%errorlevel%"=="0" goto :fail
"%NETSH%" advfirewall firewall show rule name="cbgen acme-prod allow 2136 Message Bus" >nul
if not "%errorlevel%"=="0" goto :fail

rem finds the Erlang nodes; the port must not change
set "STEP=allow port 4369 for Erlang port mapper (epmd)"
"%NETSH%" advfirewall firewall show rule name="cbgen acme-prod allow 4369 Erlang port mapper (epmd)" >nul
if not "%errorlevel%"=="0" goto :new_3
"%NETSH%" advfirewall firewall delete rule name="cbgen acme-prod allow 4369 Erlang port mapper (epmd)" >nul
if not "%errorlevel%"=="0" goto :fail
:new_3
"%NETSH%" advfirewall firewall add rule name="cbgen acme-prod allow 4369 Erlang port mapper (epmd)" dir=in action=allow enable=yes profile=any protocol=TCP localport=4369 "remoteip=%PEERS%" >nul
if not "%errorlevel%"=="0" goto :fail
"%NETSH%" advfirewall firewall show rule name="cbgen acme-prod allow 4369 Erlang port mapper (epmd)" >nul
if not "%errorlevel%"=="0" goto :fail

rem messages over TLS; replaces 5672
set "STEP=allow port 5671 for RabbitMQ"
"%NETSH%" advfirewall firewall show rule name="cbgen acme-prod allow 5671 RabbitMQ" >nul
if not "%errorlevel%"=="0" goto :new_4
"%NETSH%" advfirewall firewall delete rule name="cbgen acme-prod allow 5671 RabbitMQ" >nul
if not "%errorlevel%"=="0" goto :fail
:new_4
"%NETSH%" advfirewall firewall add rule name="cbgen acme-prod allow 5671 RabbitMQ" dir=in action=allow enable=yes profile=any protocol=TCP localport=5671 "remoteip=%PEERS%" >nul
if not "%errorlevel%"=="0" goto :fail
"%NETSH%" advfirewall firewall show rule name="cbgen acme-prod allow 5671 RabbitMQ" >nul
if not "%errorlevel%"=="0" goto :fail

rem real-time information
set "STEP=allow port 6999 for Real-Time Adapter"
"%NETSH%" advfirewall firewall show rule name="cbgen acme-prod allow 6999 Real-Time Adapter" >nul
if not "%errorlevel%"=="0" goto :new_5
"%NETSH%" advfirewall firewall delete rule name="cbgen acme-prod allow 6999 Real-Time Adapter" >nul
if not "%errorlevel%"=="0" goto :fail
:new_5
"%NETSH%" advfirewall firewall add rule name="cbgen acme-prod allow 6999 Real-Time Adapter" dir=in action=allow enable=yes profile=any protocol=TCP localport=6999 "remoteip=%PEERS%" >nul
if not "%errorlevel%"=="0" goto :fail
"%NETSH%" advfirewall firewall show rule name="cbgen acme-prod allow 6999 Real-Time Adapter" >nul
if not "%errorlevel%"=="0" goto :fail

rem operation mode changes by schedule
set "STEP=allow port 9100 for Operation Mode server"
"%NETSH%" advfirewall firewall show rule name="cbgen acme-prod allow 9100 Operation Mode server" >nul
if not "%errorlevel%"=="0" goto :new_6
"%NETSH%" advfirewall firewall delete rule name="cbgen acme-prod allow 9100 Operation Mode server" >nul
if not "%errorlevel%"=="0" goto :fail
:new_6
"%NETSH%" advfirewall firewall add rule name="cbgen acme-prod allow 9100 Operation Mode server" dir=in action=allow enable=yes profile=any protocol=TCP localport=9100 "remoteip=%PEERS%" >nul
if not "%errorlevel%"=="0" goto :fail
"%NETSH%" advfirewall firewall show rule name="cbgen acme-prod allow 9100 Operation Mode server" >nul
if not "%errorlevel%"=="0" goto :fail

rem core component
set "STEP=allow port 9999 for Queue Manager"
"%NETSH%" advfirewall firewall show rule name="cbgen acme-prod allow 9999 Queue Manager" >nul
if not "%errorlevel%"=="0" goto :new_7
"%NETSH%" advfirewall firewall delete rule name="cbgen acme-prod allow 9999 Queue Manager" >nul
if not "%errorlevel%"=="0" goto :fail
:new_7
"%NETSH%" advfirewall firewall add rule name="cbgen acme-prod allow 9999 Queue Manager" dir=in action=allow enable=yes profile=any protocol=TCP localport=9999 "remoteip=%PEERS%" >nul
if not "%errorlevel%"=="0" goto :fail
"%NETSH%" advfirewall firewall show rule name="cbgen acme-prod allow 9999 Queue Manager" >nul
if not "%errorlevel%"=="0" goto :fail

rem used by System Management API, Notification Server, Platform ToolKit, Peripheral Monitor and Core Monitor; clear text
set "STEP=allow port 15672 for RabbitMQ management"
"%NETSH%" advfirewall firewall show rule name="cbgen acme-prod allow 15672 RabbitMQ management" >nul
if not "%errorlevel%"=="0" goto :new_8
"%NETSH%" advfirewall firewall delete rule name="cbgen acme-prod allow 15672 RabbitMQ management" >nul
if not "%errorlevel%"=="0" goto :fail
:new_8
"%NETSH%" advfirewall firewall add rule name="cbgen acme-prod allow 15672 RabbitMQ management" dir=in action=allow enable=yes profile=any protocol=TCP localport=15672 "remoteip=%PEERS%" >nul
if not "%errorlevel%"=="0" goto :fail
"%NETSH%" advfirewall firewall show rule name="cbgen acme-prod allow 15672 RabbitMQ management" >nul
if not "%errorlevel%"=="0" goto :fail

rem nodes and command line tools; clear text
set "STEP=allow port 25672 for RabbitMQ between nodes"
"%NETSH%" advfirewall firewall show rule name="cbgen acme-prod allow 25672 RabbitMQ between nodes" >nul
if not "%errorlevel%"=="0" goto :new_9
"%NETSH%" advfirewall firewall delete rule name="cbgen acme-prod allow 25672 RabbitMQ between nodes" >nul
if not "%errorlevel%"=="0" goto :fail
:new_9
"%NETSH%" advfirewall firewall add rule name="cbgen acme-prod allow 25672 RabbitMQ between nodes" dir=in action=allow enable=yes profile=any protocol=TCP localport=25672 "remoteip=%PEERS%" >nul
if not "%errorlevel%"=="0" goto :fail
"%NETSH%" advfirewall firewall show rule name="cbgen acme-prod allow 25672 RabbitMQ between nodes" >nul
if not "%errorlevel%"=="0" goto :fail

rem answers to command line tools; clear text
set "STEP=allow port 35672-35682 for RabbitMQ command line tools"
"%NETSH%" advfirewall firewall show rule name="cbgen acme-prod allow 35672-35682 RabbitMQ command line tools" >nul
if not "%errorlevel%"=="0" goto :new_10
"%NETSH%" advfirewall firewall delete rule name="cbgen acme-prod allow 35672-35682 RabbitMQ command line tools" >nul
if not "%errorlevel%"=="0" goto :fail
:new_10
"%NETSH%" advfirewall firewall add rule name="cbgen acme-prod allow 35672-35682 RabbitMQ command line tools" dir=in action=allow enable=yes profile=any protocol=TCP localport=35672-35682 "remoteip=%PEERS%" >nul
if not "%errorlevel%"=="0" goto :fail
"%NETSH%" advfirewall firewall show rule name="cbgen acme-prod allow 35672-35682 RabbitMQ command line tools" >nul
if not "%errorlevel%"=="0" goto :fail

echo NOTE: Erlang (erl, werl) has no fixed port range in the inventory, so it has no rule. Set network.erlang_ports.

echo All rules are in place.
endlocal
exit /b 0

:firewall_off
echo The firewall of Windows is off for at least one kind of network, so rules would protect nothing there. Switch it on.
goto :fail
:policy
echo A policy of the domain makes the firewall ignore rules of this server. Ask for these rules in that policy.
goto :fail
:no_address
echo The name has no address here. Write the addresses as network.callback_addresses into the inventory.
goto :fail

:peer
set "FOUND=yes"
if defined PEERS goto :further_peer
set "PEERS=%~1"
exit /b 0
:further_peer
set "PEERS=%PEERS%,%~1"
exit /b 0

:fail
set "CODE=%errorlevel%"
echo.
echo FAILED at step: %STEP%
if not "%CODE%"=="0" echo Exit code of the failing command: %CODE%
echo Nothing after this step was done. Correct the cause and run this script again, or run servers\CORE02\firewall\rollback-firewall.cmd to go back.
endlocal
exit /b 1


