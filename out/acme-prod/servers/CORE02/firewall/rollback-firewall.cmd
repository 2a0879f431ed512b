@echo off
setlocal EnableExtensions DisableDelayedExpansion
rem Deletes the firewall rules that apply-firewall.cmd added
rem Made by cbgen for CORE02, bundle acme-prod 2026.12.1. Change the inventory, not this file.
rem Exit code 0: every step was done and checked. Anything else: the named step failed and nothing after it ran.
set "SYSTEM=%SystemRoot%\System32"
rem A 32-bit console would reach the 32-bit programs and registry; Sysnative is its way to the native ones.
if exist "%SystemRoot%\Sysnative\cmd.exe" set "SYSTEM=%SystemRoot%\Sysnative"
set "STEP=check administrator rights"
"%SYSTEM%\net.exe" session >nul 2>&1
if "%errorlevel%"=="0" goto :elevated
echo Start the command prompt with Run as administrator, then run this script again.
goto :fail
:elevated

set "STEP=check that this is CORE02"
if /i "%COMPUTERNAME%"=="CORE02" goto :right_server
echo This script was made for CORE02; this is %COMPUTERNAME%. Use the folder of this server.
goto :fail
:right_server

set "NETSH=%SYSTEM%\netsh.exe"

set "STEP=delete the rule for port 2136 of Message Bus"
"%NETSH%" advfirewall firewall show rule name="cbgen acme-prod allow 2136 Message Bus" >nul
if not "%errorlevel%"=="0" goto :gone_2
"%NETSH%" advfirewall firewall delete rule name="cbgen acme-prod allow 2136 Message Bus" >nul
if not "%errorlevel%"=="0" goto :fail
"%NETSH%" advfirewall firewall show rule name="cbgen acme-prod allow 2136 Message Bus" >nul
if "%errorlevel%"=="0" goto :fail
:gone_2

set "STEP=delete the rule for port 4369 of Erlang port mapper (epmd)"
"%NETSH%" advfirewall firewall show rule name="cbgen acme-prod allow 4369 Erlang port mapper (epmd)" >nul
if not "%errorlevel%"=="0" goto :gone_3
"%NETSH%" advfirewall firewall delete rule name="cbgen acme-prod allow 4369 Erlang port mapper (epmd)" >nul
if not "%errorlevel%"=="0" goto :fail
"%NETSH%" advfirewall firewall show rule name="cbgen acme-prod allow 4369 Erlang port mapper (epmd)" >nul
if "%errorlevel%"=="0" goto :fail
:gone_3

set "STEP=delete the rule for port 5671 of RabbitMQ"
"%NETSH%" advfirewall firewall show rule name="cbgen acme-prod allow 5671 RabbitMQ" >nul
if not "%errorlevel%"=="0" goto :gone_4
"%NETSH%" advfirewall firewall delete rule name="cbgen acme-prod allow 5671 RabbitMQ" >nul
if not "%errorlevel%"=="0" goto :fail
"%NETSH%" advfirewall firewall show rule name="cbgen acme-prod allow 5671 RabbitMQ" >nul
if "%errorlevel%"=="0" goto :fail
:gone_4

set "STEP=delete the rule for port 6999 of Real-Time Adapter"
"%NETSH%" advfirewall firewall show rule name="cbgen acme-prod allow 6999 Real-Time Adapter" >nul
if not "%errorlevel%"=="0" goto :gone_5
"%NETSH%" advfirewall firewall delete rule name="cbgen acme-prod allow 6999 Real-Time Adapter" >nul
if not "%errorlevel%"=="0" goto :fail
"%NETSH%" advfirewall firewall show rule name="cbgen acme-prod allow 6999 Real-Time Adapter" >nul
if "%errorlevel%"=="0" goto :fail
:gone_5

set "STEP=delete the rule for port 9100 of Operation Mode server"
"%NETSH%" advfirewall firewall show rule name="cbgen acme-prod allow 9100 Operation Mode server" >nul
if not "%errorlevel%"=="0" goto :gone_6
"%NETSH%" advfirewall firewall delete rule name="cbgen acme-prod allow 9100 Operation Mode server" >nul
if not "%errorlevel%"=="0" goto :fail
"%NETSH%" advfirewall firewall show rule name="cbgen acme-prod allow 9100 Operation Mode server" >nul
if "%errorlevel%"=="0" goto :fail
:gone_6

set "STEP=delete the rule for port 9999 of Queue Manager"
"%NETSH%" advfirewall firewall show rule name="cbgen acme-prod allow 9999 Queue Manager" >nul
if not "%errorlevel%"=="0" goto :gone_7
"%NETSH%" advfirewall firewall delete rule name="cbgen acme-prod allow 9999 Queue Manager" >nul
if not "%errorlevel%"=="0" goto :fail
"%NETSH%" advfirewall firewall show rule name="cbgen acme-prod allow 9999 Queue Manager" >nul
if "%errorlevel%"=="0" goto :fail
:gone_7

set "STEP=delete the rule for port 15672 of RabbitMQ management"
"%NETSH%" advfirewall firewall show rule name="cbgen acme-prod allow 15672 RabbitMQ management" >nul
if not "%errorlevel%"=="0" goto :gone_8
"%NETSH%" advfirewall firewall delete rule name="cbgen acme-prod allow 15672 RabbitMQ management" >nul
if not "%errorlevel%"=="0" goto :fail
"%NETSH%" advfirewall firewall show rule name="cbgen acme-prod allow 15672 RabbitMQ management" >nul
if "%errorlevel%"=="0" goto :fail
:gone_8

set "STEP=delete the rule for port 25672 of RabbitMQ between nodes"
"%NETSH%" advfirewall firewall show rule name="cbgen acme-prod allow 25672 RabbitMQ between nodes" >nul
if not "%errorlevel%"=="0" goto :gone_9
"%NETSH%" advfirewall firewall delete rule name="cbgen acme-prod allow 25672 RabbitMQ between nodes" >nul
if not "%errorlevel%"=="0" goto :fail
"%NETSH%" advfirewall firewall show rule name="cbgen acme-prod allow 25672 RabbitMQ between nodes" >nul
if "%errorlevel%"=="0" goto :fail
:gone_9

set "STEP=delete the rule for port 35672-35682 of RabbitMQ command line tools"
"%NETSH%" advfirewall firewall show rule name="cbgen acme-prod allow 35672-35682 RabbitMQ command line tools" >nul
if not "%errorlevel%"=="0" goto :gone_10
"%NETSH%" advfirewall firewall delete rule name="cbgen acme-prod allow 35672-35682 RabbitMQ command line tools" >nul
if not "%errorlevel%"=="0" goto :fail
"%NETSH%" advfirewall firewall show rule name="cbgen acme-prod allow 35672-35682 RabbitMQ command line tools" >nul
if "%errorlevel%"=="0" goto :fail
:gone_10

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


