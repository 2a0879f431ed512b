@echo off
setlocal EnableExtensions DisableDelayedExpansion
rem Deletes the firewall rules that apply-firewall.cmd added
rem Made by cbgen for PLANT-CORE3, bundle acme-plant 2026.12.0-rc.1. Change the inventory, not this file.
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

set "STEP=check that this is PLANT-CORE3"
if /i "%COMPUTERNAME%"=="PLANT-CORE3" goto :right_server
echo This script was made for PLANT-CORE3; this is %COMPUTERNAME%. Use the folder of this server.
goto :fail
:right_server

set "NETSH=%SYSTEM%\netsh.exe"
set "STEP=see that the firewall answers"
rem Without its service every question fails, as if no rule were there.
"%NETSH%" advfirewall show currentprofile >nul
if not "%errorlevel%"=="0" goto :fail

set "STEP=delete the rule for port 2136 of Message Bus"
rem unchecked: it also fails when the rule is not there; the next line looks
"%NETSH%" advfirewall firewall delete rule name="cbgen acme-plant allow 2136 Message Bus" >nul
"%NETSH%" advfirewall firewall show rule name="cbgen acme-plant allow 2136 Message Bus" >nul
if "%errorlevel%"=="0" goto :fail

set "STEP=delete the rule for port 4369 of Erlang port mapper (epmd)"
rem unchecked: it also fails when the rule is not there; the next line looks
"%NETSH%" advfirewall firewall delete rule name="cbgen acme-plant allow 4369 Erlang port mapper (epmd)" >nul
"%NETSH%" advfirewall firewall show rule name="cbgen acme-plant allow 4369 Erlang port mapper (epmd)" >nul
if "%errorlevel%"=="0" goto :fail

set "STEP=delete the rule for port 5671 of RabbitMQ"
rem unchecked: it also fails when the rule is not there; the next line looks
"%NETSH%" advfirewall firewall delete rule name="cbgen acme-plant allow 5671 RabbitMQ" >nul
"%NETSH%" advfirewall firewall show rule name="cbgen acme-plant allow 5671 RabbitMQ" >nul
if "%errorlevel%"=="0" goto :fail

set "STEP=delete the rule for port 6999 of Real-Time Adapter"
rem unchecked: it also fails when the rule is not there; the next line looks
"%NETSH%" advfirewall firewall delete rule name="cbgen acme-plant allow 6999 Real-Time Adapter" >nul
"%NETSH%" advfirewall firewall show rule name="cbgen acme-plant allow 6999 Real-Time Adapter" >nul
if "%errorlevel%"=="0" goto :fail

set "STEP=delete the rule for port 9100 of Operation Mode server"
rem unchecked: it also fails when the rule is not there; the next line looks
"%NETSH%" advfirewall firewall delete rule name="cbgen acme-plant allow 9100 Operation Mode server" >nul
"%NETSH%" advfirewall firewall show rule name="cbgen acme-plant allow 9100 Operation Mode server" >nul
if "%errorlevel%"=="0" goto :fail

set "STEP=delete the rule for port 9999 of Queue Manager"
rem unchecked: it also fails when the rule is not there; the next line looks
"%NETSH%" advfirewall firewall delete rule name="cbgen acme-plant allow 9999 Queue Manager" >nul
"%NETSH%" advfirewall firewall show rule name="cbgen acme-plant allow 9999 Queue Manager" >nul
if "%errorlevel%"=="0" goto :fail

set "STEP=delete the rule for port 25672 of RabbitMQ between nodes"
rem unchecked: it also fails when the rule is not there; the next line looks
"%NETSH%" advfirewall firewall delete rule name="cbgen acme-plant allow 25672 RabbitMQ between nodes" >nul
"%NETSH%" advfirewall firewall show rule name="cbgen acme-plant allow 25672 RabbitMQ between nodes" >nul
if "%errorlevel%"=="0" goto :fail

set "STEP=delete the rule for port 35672-35682 of RabbitMQ command line tools"
rem unchecked: it also fails when the rule is not there; the next line looks
"%NETSH%" advfirewall firewall delete rule name="cbgen acme-plant allow 35672-35682 RabbitMQ command line tools" >nul
"%NETSH%" advfirewall firewall show rule name="cbgen acme-plant allow 35672-35682 RabbitMQ command line tools" >nul
if "%errorlevel%"=="0" goto :fail

set "STEP=delete the rule for port 40000-41499 of Erlang (erl, werl)"
rem unchecked: it also fails when the rule is not there; the next line looks
"%NETSH%" advfirewall firewall delete rule name="cbgen acme-plant allow 40000-41499 Erlang (erl, werl)" >nul
"%NETSH%" advfirewall firewall show rule name="cbgen acme-plant allow 40000-41499 Erlang (erl, werl)" >nul
if "%errorlevel%"=="0" goto :fail

echo The rules are gone.
endlocal
exit /b 0

:fail
set "CODE=%errorlevel%"
echo.
echo FAILED at step: %STEP%
if not "%CODE%"=="0" echo Exit code of the failing command: %CODE%
echo Nothing after this step was done. Correct the cause and run this script again.
endlocal
exit /b 1


