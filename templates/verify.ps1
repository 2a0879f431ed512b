---
title: Check of the bundle with PowerShell
requirements: []
scope: bundle
path: verify.ps1
format: power_shell
effect: read
phase: prepare
---
# Checks that this bundle is complete and unchanged. Needs nothing but Windows PowerShell 5.1:
#
#   powershell -NoProfile -ExecutionPolicy Bypass -File .\verify.ps1
#
# If Windows refuses to run it because it came from another computer, unblock the zip before unpacking it
# (Unblock-File .\NAME.zip, or Properties, General, Unblock), or use verify.cmd.
#
# Exit code: 0 complete and unchanged; 1 changed, missing or extra files; 2 the check could not be done.

$ErrorActionPreference = 'Stop'
$exitCode = 2

function Get-Spoken($digest) {
    # Twelve digits in groups of four are enough to compare over the telephone.
    '{0} {1} {2}' -f $digest.Substring(0, 4), $digest.Substring(4, 4), $digest.Substring(8, 4)
}

try {
    $root = (Get-Item -LiteralPath $PSScriptRoot -Force).FullName
    $list = Join-Path $root 'SHA256SUMS'
    if (-not (Test-Path -LiteralPath $list -PathType Leaf)) {
        throw 'SHA256SUMS is missing: unpack the whole zip and run verify.ps1 in its folder'
    }

    # The list: digest, two blanks, path. A line of any other form, or a path that leaves the folder or means a device,
    # ends the check before any file is opened.
    # Keys begin with a slash: a file named Count or Keys would otherwise hide the property of that name.
    $wanted = @{}
    $idText = ''
    foreach ($line in @(Get-Content -LiteralPath $list -Encoding Ascii)) {
        if ($line -cnotmatch '^(?<digest>[0-9a-f]+)  (?<path>[ -~]+)$') {
            throw 'SHA256SUMS has a line of another form'
        }
        $digest = $Matches['digest']
        $path = $Matches['path']
        $unsafe = ($digest.Length -ne 64) -or
            ($path -match '[\\:*?"<>|]') -or
            ($path -match '(^|/)\.{0,2}(/|$)') -or
            ($path -match '[. ](/|$)') -or
            ($path -match '(^|/)(con|prn|aux|nul|conin\$|conout\$|com[0-9]|lpt[0-9])( *\.|/|$)')
        if ($unsafe) {
            throw ('SHA256SUMS names a file this script must not touch: {0}' -f $path)
        }
        if ($wanted.ContainsKey('/' + $path)) {
            throw ('SHA256SUMS names a file twice: {0}' -f $path)
        }
        $wanted['/' + $path] = $digest
        if ($path -cne 'manifest.json') {
            $idText += ('{0}  {1}' -f $digest, $path) + "`n"
        }
    }
    if ($wanted.Count -eq 0) {
        throw 'SHA256SUMS is empty'
    }

    $findings = @()
    $seen = @{}
    foreach ($item in @(Get-ChildItem -LiteralPath $root -Recurse -Force)) {
        $path = $item.FullName.Substring($root.Length).TrimStart('\', '/').Replace('\', '/')
        $key = '/' + $path
        if (([string]$item.Attributes) -match 'ReparsePoint') {
            $findings += ('link     {0}' -f $path)
            continue
        }
        if ($item.PSIsContainer) {
            continue
        }
        $seen[$key] = $true
        if ($wanted.ContainsKey($key)) {
            $digest = (Get-FileHash -LiteralPath $item.FullName -Algorithm SHA256).Hash
            if ($digest -ne $wanted[$key]) {
                $findings += ('changed  {0}' -f $path)
            }
        } elseif (@('SHA256SUMS', 'SHA256SUMS.sig') -notcontains $path) {
            $findings += ('extra    {0}' -f $path)
        }
    }
    foreach ($key in $wanted.Keys) {
        if (-not $seen.ContainsKey($key)) {
            $findings += ('missing  {0}' -f $key.Substring(1))
        }
    }

    # The id is the digest of the list without the line of the manifest, which states the id.
    $temporary = Join-Path $env:TEMP ('cbgen-verify-{0}.txt' -f $PID)
    try {
        Set-Content -LiteralPath $temporary -Value $idText -Encoding Ascii -NoNewline
        $id = (Get-FileHash -LiteralPath $temporary -Algorithm SHA256).Hash.ToLowerInvariant()
    } finally {
        Remove-Item -LiteralPath $temporary -Force -ErrorAction SilentlyContinue
    }
    if ($findings.Count -eq 0) {
        $manifestPath = Join-Path $root 'manifest.json'
        $manifest = Get-Content -LiteralPath $manifestPath -Encoding UTF8 | Out-String | ConvertFrom-Json
        if ($manifest.bundle.id -cne $id) {
            $findings += 'changed  manifest.json (it states another id)'
        }
    }

    if ($findings.Count -eq 0) {
        Write-Output ('Bundle {0} {1}: {2} files.' -f $manifest.bundle.name, $manifest.bundle.version, $wanted.Count)
        Write-Output 'The bundle is complete and unchanged.'
        # The digest of the list stands for every file and for the manifest.
        $seal = (Get-FileHash -LiteralPath $list -Algorithm SHA256).Hash.ToLowerInvariant()
        Write-Output ('Seal:    {0}   (compare with the review)' -f (Get-Spoken $seal))
        Write-Output ('In full: {0}' -f $seal)
        if ($seen.ContainsKey('/SHA256SUMS.sig')) {
            Write-Output 'There is a signature, which this script cannot check; cbgen verify can.'
        }
        $exitCode = 0
    } else {
        $findings | Sort-Object | Write-Output
        Write-Output 'The bundle is NOT what was built. Do not apply it; get the zip again.'
        $exitCode = 1
    }
} catch {
    Write-Output ('The check could not be done: {0}' -f $_)
    $exitCode = 2
}
exit $exitCode
