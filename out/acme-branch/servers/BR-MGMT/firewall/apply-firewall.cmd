@echo off
setlocal EnableExtensions DisableDelayedExpansion
rem Adds the firewall rules of this server
rem Made by cbgen for BR-MGMT, bundle acme-branch 2026.12.2. Change the inventory, not this file.
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

set "STEP=check that this is BR-MGMT"
if /i "%COMPUTERNAME%"=="BR-MGMT" goto :right_server
echo This script was made for BR-MGMT; this is %COMPUTERNAME%. Use the folder of this server.
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
set "STATE=%ProgramData%\cbgen\acme-branch\2026.12.2\firewall"
if exist "%STATE%\." goto :state_ready
mkdir "%STATE%"
if not "%errorlevel%"=="0" goto :fail
:state_ready

set "PEERS="
set "STEP=find the addresses of BR-CORE"
"%SYSTEM%\WindowsPowerShell\v1.0\powershell.exe" -NoProfile -NonInteractive -Command "[Net.Dns]::GetHostAddresses('core.branch.acme.example') | Where-Object { -not $_.IsIPv6LinkLocal } | ForEach-Object { $_.IPAddressToString }" >"%STATE%\addresses.txt"
if not "%errorlevel%"=="0" goto :no_address
set "FOUND="
for /f "usebackq" %%A in ("%STATE%\addresses.txt") do call :peer "%%A"
if not defined FOUND goto :no_address
set "STEP=find the addresses of BR-MGMT"
"%SYSTEM%\WindowsPowerShell\v1.0\powershell.exe" -NoProfile -NonInteractive -Command "[Net.Dns]::GetHostAddresses('mgmt.branch.acme.example') | Where-Object { -not $_.IsIPv6LinkLocal } | ForEach-Object { $_.IPAddressToString }" >"%STATE%\addresses.txt"
if not "%errorlevel%"=="0" goto :no_address
set "FOUND="
for /f "usebackq" %%A in ("%STATE%\addresses.txt") do call :peer "%%A"
if not defined FOUND goto :no_address
echo Ports between Callback servers open for: %PEERS%

rem web services and pages, bound to 127.0.0.1
set "STEP=block port 80 for IIS"
"%NETSH%" advfirewall firewall show rule name="cbgen acme-branch block 80 IIS" >nul
if not "%errorlevel%"=="0" goto :new_2
"%NETSH%" advfirewall firewall delete rule name="cbgen acme-branch block 80 IIS" >nul
if not "%errorlevel%"=="0" goto :fail
:new_2
"%NETSH%" advfirewall firewall add rule name="cbgen acme-branch block 80 IIS" dir=in action=block enable=yes profile=any protocol=TCP localport=80 >nul
if not "%errorlevel%"=="0" goto :fail
"%NETSH%" advfirewall firewall show rule name="cbgen acme-branch block 80 IIS" >nul
if not "%errorlevel%"=="0" goto :fail

rem HTTPS entry to the web applications and APIs
set "STEP=allow port 443 for Reverse proxy"
"%NETSH%" advfirewall firewall show rule name="cbgen acme-branch allow 443 Reverse proxy" >nul
if not "%errorlevel%"=="0" goto :new_3
"%NETSH%" advfirewall firewall delete rule name="cbgen acme-branch allow 443 Reverse proxy" >nul
if not "%errorlevel%"=="0" goto :fail
:new_3
"%NETSH%" advfirewall firewall add rule name="cbgen acme-branch allow 443 Reverse proxy" dir=in action=allow enable=yes profile=any protocol=TCP localport=443 >nul
if not "%errorlevel%"=="0" goto :fail
"%NETSH%" advfirewall firewall show rule name="cbgen acme-branch allow 443 Reverse proxy" >nul
if not "%errorlevel%"=="0" goto :fail

rem published as /auth
set "STEP=block port 2800 for Authorization API"
"%NETSH%" advfirewall firewall show rule name="cbgen acme-branch block 2800 Authorization API" >nul
if not "%errorlevel%"=="0" goto :new_5
"%NETSH%" advfirewall firewall delete rule name="cbgen acme-branch block 2800 Authorization API" >nul
if not "%errorlevel%"=="0" goto :fail
:new_5
"%NETSH%" advfirewall firewall add rule name="cbgen acme-branch block 2800 Authorization API" dir=in action=block enable=yes profile=any protocol=TCP localport=2800 >nul
if not "%errorlevel%"=="0" goto :fail
"%NETSH%" advfirewall firewall show rule name="cbgen acme-branch block 2800 Authorization API" >nul
if not "%errorlevel%"=="0" goto :fail

rem published as /stats
set "STEP=block port 2900 for Queue Statistics API"
"%NETSH%" advfirewall firewall show rule name="cbgen acme-branch block 2900 Queue Statistics API" >nul
if not "%errorlevel%"=="0" goto :new_6
"%NETSH%" advfirewall firewall delete rule name="cbgen acme-branch block 2900 Queue Statistics API" >nul
if not "%errorlevel%"=="0" goto :fail
:new_6
"%NETSH%" advfirewall firewall add rule name="cbgen acme-branch block 2900 Queue Statistics API" dir=in action=block enable=yes profile=any protocol=TCP localport=2900 >nul
if not "%errorlevel%"=="0" goto :fail
"%NETSH%" advfirewall firewall show rule name="cbgen acme-branch block 2900 Queue Statistics API" >nul
if not "%errorlevel%"=="0" goto :fail

rem finds the Erlang nodes; the port must not change
set "STEP=allow port 4369 for Erlang port mapper (epmd)"
"%NETSH%" advfirewall firewall show rule name="cbgen acme-branch allow 4369 Erlang port mapper (epmd)" >nul
if not "%errorlevel%"=="0" goto :new_7
"%NETSH%" advfirewall firewall delete rule name="cbgen acme-branch allow 4369 Erlang port mapper (epmd)" >nul
if not "%errorlevel%"=="0" goto :fail
:new_7
"%NETSH%" advfirewall firewall add rule name="cbgen acme-branch allow 4369 Erlang port mapper (epmd)" dir=in action=allow enable=yes profile=any protocol=TCP localport=4369 "remoteip=%PEERS%" >nul
if not "%errorlevel%"=="0" goto :fail
"%NETSH%" advfirewall firewall show rule name="cbgen acme-branch allow 4369 Erlang port mapper (epmd)" >nul
if not "%errorlevel%"=="0" goto :fail

rem messages, clear text
set "STEP=allow port 5672 for RabbitMQ"
"%NETSH%" advfirewall firewall show rule name="cbgen acme-branch allow 5672 RabbitMQ" >nul
if not "%errorlevel%"=="0" goto :new_8
"%NETSH%" advfirewall firewall delete rule name="cbgen acme-branch allow 5672 RabbitMQ" >nul
if not "%errorlevel%"=="0" goto :fail
:new_8
"%NETSH%" advfirewall firewall add rule name="cbgen acme-branch allow 5672 RabbitMQ" dir=in action=allow enable=yes profile=any protocol=TCP localport=5672 "remoteip=%PEERS%" >nul
if not "%errorlevel%"=="0" goto :fail
"%NETSH%" advfirewall firewall show rule name="cbgen acme-branch allow 5672 RabbitMQ" >nul
if not "%errorlevel%"=="0" goto :fail

rem published as /system
set "STEP=block port 8000 for System Management API"
"%NETSH%" advfirewall firewall show rule name="cbgen acme-branch block 8000 System Management API" >nul
if not "%errorlevel%"=="0" goto :new_9
"%NETSH%" advfirewall firewall delete rule name="cbgen acme-branch block 8000 System Management API" >nul
if not "%errorlevel%"=="0" goto :fail
:new_9
"%NETSH%" advfirewall firewall add rule name="cbgen acme-branch block 8000 System Management API" dir=in action=block enable=yes profile=any protocol=TCP localport=8000 >nul
if not "%errorlevel%"=="0" goto :fail
"%NETSH%" advfirewall firewall show rule name="cbgen acme-branch block 8000 System Management API" >nul
if not "%errorlevel%"=="0" goto :fail

rem published as /config
set "STEP=block port 8001 for Configuration Management"
"%NETSH%" advfirewall firewall show rule name="cbgen acme-branch block 8001 Configuration Management" >nul
if not "%errorlevel%"=="0" goto :new_10
"%NETSH%" advfirewall firewall delete rule name="cbgen acme-branch block 8001 Configuration Management" >nul
if not "%errorlevel%"=="0" goto :fail
:new_10
"%NETSH%" advfirewall firewall add rule name="cbgen acme-branch block 8001 Configuration Management" dir=in action=block enable=yes profile=any protocol=TCP localport=8001 >nul
if not "%errorlevel%"=="0" goto :fail
"%NETSH%" advfirewall firewall show rule name="cbgen acme-branch block 8001 Configuration Management" >nul
if not "%errorlevel%"=="0" goto :fail

rem published as /license
set "STEP=block port 8002 for License Management"
"%NETSH%" advfirewall firewall show rule name="cbgen acme-branch block 8002 License Management" >nul
if not "%errorlevel%"=="0" goto :new_11
"%NETSH%" advfirewall firewall delete rule name="cbgen acme-branch block 8002 License Management" >nul
if not "%errorlevel%"=="0" goto :fail
:new_11
"%NETSH%" advfirewall firewall add rule name="cbgen acme-branch block 8002 License Management" dir=in action=block enable=yes profile=any protocol=TCP localport=8002 >nul
if not "%errorlevel%"=="0" goto :fail
"%NETSH%" advfirewall firewall show rule name="cbgen acme-branch block 8002 License Management" >nul
if not "%errorlevel%"=="0" goto :fail

rem licensing information, published as /mgmt
set "STEP=block port 8012 for Management Gateway"
"%NETSH%" advfirewall firewall show rule name="cbgen acme-branch block 8012 Management Gateway" >nul
if not "%errorlevel%"=="0" goto :new_12
"%NETSH%" advfirewall firewall delete rule name="cbgen acme-branch block 8012 Management Gateway" >nul
if not "%errorlevel%"=="0" goto :fail
:new_12
"%NETSH%" advfirewall firewall add rule name="cbgen acme-branch block 8012 Management Gateway" dir=in action=block enable=yes profile=any protocol=TCP localport=8012 >nul
if not "%errorlevel%"=="0" goto :fail
"%NETSH%" advfirewall firewall show rule name="cbgen acme-branch block 8012 Management Gateway" >nul
if not "%errorlevel%"=="0" goto :fail

rem used by System Management API, Notification Server, Platform ToolKit, Peripheral Monitor and Core Monitor; clear text
set "STEP=allow port 15672 for RabbitMQ management"
"%NETSH%" advfirewall firewall show rule name="cbgen acme-branch allow 15672 RabbitMQ management" >nul
if not "%errorlevel%"=="0" goto :new_13
"%NETSH%" advfirewall firewall delete rule name="cbgen acme-branch allow 15672 RabbitMQ management" >nul
if not "%errorlevel%"=="0" goto :fail
:new_13
"%NETSH%" advfirewall firewall add rule name="cbgen acme-branch allow 15672 RabbitMQ management" dir=in action=allow enable=yes profile=any protocol=TCP localport=15672 "remoteip=%PEERS%" >nul
if not "%errorlevel%"=="0" goto :fail
"%NETSH%" advfirewall firewall show rule name="cbgen acme-branch allow 15672 RabbitMQ management" >nul
if not "%errorlevel%"=="0" goto :fail

rem nodes and command line tools; clear text
set "STEP=allow port 25672 for RabbitMQ between nodes"
"%NETSH%" advfirewall firewall show rule name="cbgen acme-branch allow 25672 RabbitMQ between nodes" >nul
if not "%errorlevel%"=="0" goto :new_14
"%NETSH%" advfirewall firewall delete rule name="cbgen acme-branch allow 25672 RabbitMQ between nodes" >nul
if not "%errorlevel%"=="0" goto :fail
:new_14
"%NETSH%" advfirewall firewall add rule name="cbgen acme-branch allow 25672 RabbitMQ between nodes" dir=in action=allow enable=yes profile=any protocol=TCP localport=25672 "remoteip=%PEERS%" >nul
if not "%errorlevel%"=="0" goto :fail
"%NETSH%" advfirewall firewall show rule name="cbgen acme-branch allow 25672 RabbitMQ between nodes" >nul
if not "%errorlevel%"=="0" goto :fail

rem answers to command line tools; clear text
set "STEP=allow port 35672-35682 for RabbitMQ command line tools"
"%NETSH%" advfirewall firewall show rule name="cbgen acme-branch allow 35672-35682 RabbitMQ command line tools" >nul
if not "%errorlevel%"=="0" goto :new_15
"%NETSH%" advfirewall firewall delete rule name="cbgen acme-branch allow 35672-35682 RabbitMQ command line tools" >nul
if not "%errorlevel%"=="0" goto :fail
:new_15
"%NETSH%" advfirewall firewall add rule name="cbgen acme-branch allow 35672-35682 RabbitMQ command line tools" dir=in action=allow enable=yes profile=any protocol=TCP localport=35672-35682 "remoteip=%PEERS%" >nul
if not "%errorlevel%"=="0" goto :fail
"%NETSH%" advfirewall firewall show rule name="cbgen acme-branch allow 35672-35682 RabbitMQ command line tools" >nul
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
echo Nothing after this step was done. Correct the cause and run this script again, or run servers\BR-MGMT\firewall\rollback-firewall.cmd to go back.
endlocal
exit /b 1


